"""Classics against their published definitions, or against independent libraries."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special
from scipy.spatial.transform import Rotation

from tests.scenarios.drawing import Values, drawn, gradients, outputs_and_loss


def _reprojection_errors(values: Values, cameras: int, points: int) -> np.ndarray:
    """ADBench's computeReprojError for each observation, rotations being scipy's."""
    errors = []
    for i, (weight, feature) in enumerate(zip(values["weights"], values["features"], strict=True)):
        camera = values["cameras"][i % cameras]
        point = values["points"][i * 5 // 3 % points]
        seen = Rotation.from_rotvec(camera[:3]).apply(point - camera[3:6])
        x, y = seen[0] / seen[2], seen[1] / seen[2]
        square = x**2 + y**2
        distortion = 1 + camera[9] * square + camera[10] * square**2
        projected = np.array([x, y]) * distortion * camera[6] + camera[7:9]
        errors.append(weight * (projected - feature))
    return np.array(errors)


@pytest.mark.parametrize("form", ["vector", "loop"])
def test_ba_is_adbenchs_reprojection_error(form: str) -> None:
    """Errors and weight errors of the published definition; the loss is half their squares."""
    network, values = drawn("ba", observations=17, cameras=3, points=5, form=form)
    expected = _reprojection_errors(values, 3, 5)
    of_weights = 1 - values["weights"] ** 2

    (errors, weight_errors), loss = outputs_and_loss(network, values)

    np.testing.assert_allclose(errors, expected, rtol=1e-11)
    np.testing.assert_allclose(weight_errors, of_weights, rtol=1e-12)
    assert loss == pytest.approx((np.sum(expected**2) + np.sum(of_weights**2)) / 2, rel=1e-12)


def test_a_point_of_ba_that_nobody_sees_has_no_gradient() -> None:
    """Gradients by points are sparse: of 64 points, 4 observations see 4."""
    network, values = drawn("ba", observations=4)

    by_points = gradients(network, values)["points"]

    assert np.count_nonzero(np.abs(by_points).sum(axis=1)) == 4


def _posed_hand(values: Values) -> np.ndarray:
    """ADBench's hand_objective: pose parameters, relatives, absolutes, skinning, global pose."""
    theta = values["theta"]
    bones = ["wrist"]
    bones += [f"{finger}{i}" for finger in ("thumb", "index", "middle", "ring", "pinky")
              for i in (1, 2, 3, 4)]  # fmt: skip
    bones.append("forearm")
    pose = np.zeros((3, len(bones) + 3))
    pose[:, 0], pose[:, 1], pose[:, 2] = theta[:3], 1.0, theta[3:6]
    at_theta, at_pose = 6, 5
    for _ in range(5):
        for joint in (2, 3, 4):
            pose[0, at_pose] = theta[at_theta]
            at_theta += 1
            if joint == 2:
                pose[1, at_pose] = theta[at_theta]
                at_theta += 1
            at_pose += 1
        at_pose += 1
    assert at_theta == 26

    absolutes: list[np.ndarray] = []
    for i, bone in enumerate(bones):
        turn = np.eye(4)
        # Its columns are (x, z, y); the matrix is Rz Ry Rx.
        turn[:3, :3] = Rotation.from_euler("xyz", pose[[0, 2, 1], i + 3]).as_matrix()
        relative = values["base_relatives"][i] @ turn
        parent = -1 if bone == "wrist" else 0 if bone == "forearm" or bone[-1] == "1" else i - 1
        absolutes.append(relative if parent < 0 else absolutes[parent] @ relative)

    placed = np.zeros_like(values["targets"])
    for i, absolute in enumerate(absolutes):
        moved = absolute @ values["inverse_base_absolutes"][i] @ values["positions"]
        placed += moved[:3] * values["skinning"][i]
    rotation = Rotation.from_rotvec(pose[:, 0]).as_matrix() * pose[:, 1]
    return rotation @ placed + pose[:, 2:3]


def test_hand_is_adbenchs_objective() -> None:
    """Errors of the published definition, and the loss is half their mean square."""
    network, values = drawn("hand", vertices=9)
    expected = values["targets"] - _posed_hand(values)

    (errors,), loss = outputs_and_loss(network, values)

    np.testing.assert_allclose(errors, expected, rtol=1e-10, atol=1e-12)
    assert loss == pytest.approx(np.mean(expected**2) / 2, rel=1e-12)


def test_every_parameter_of_hand_counts() -> None:
    """None of the 26 gradients is zero."""
    network, values = drawn("hand", vertices=9)

    assert np.all(gradients(network, values)["theta"] != 0)


def test_least_squares_vanishes_at_the_normal_equations_solution() -> None:
    """The gradient is Aᵀ(A·x - b) / rows, and zero at LAPACK's solution."""
    network, values = drawn("least_squares", rows=20, columns=4)
    a, b = values["a"], values["b"]
    residual = a @ values["x"] - b

    (output,), loss = outputs_and_loss(network, values)
    solution = np.linalg.lstsq(a, b, rcond=None)[0]

    np.testing.assert_allclose(output, residual, rtol=1e-11)
    assert loss == pytest.approx(np.mean(residual**2) / 2, rel=1e-12)
    np.testing.assert_allclose(gradients(network, values)["x"], a.T @ residual / 20, rtol=1e-11)
    np.testing.assert_allclose(
        gradients(network, values | {"x": solution})["x"], np.zeros(4), atol=1e-12
    )


def test_log_sum_exp_is_scipys_and_its_gradient_is_softmax() -> None:
    """Also where exponentials overflow."""
    network, values = drawn("log_sum_exp", size=50)
    for shift in (0.0, 1e4):
        x = values["x"] + shift

        (output,), loss = outputs_and_loss(network, {"x": x})

        assert float(output) == loss == pytest.approx(special.logsumexp(x), rel=1e-13)
        np.testing.assert_allclose(gradients(network, {"x": x})["x"], special.softmax(x), rtol=1e-9)


def test_kmeans_assigns_every_point_to_its_nearest_centroid() -> None:
    """The sum of least squared distances; by a centroid, twice what it is off its points by."""
    network, values = drawn("kmeans", points=40, clusters=3, dimensions=2)
    points, centroids = values["x"], values["centroids"]
    nearest = np.array([np.argmin([np.sum((p - c) ** 2) for c in centroids]) for p in points])
    expected = sum(np.sum((p - centroids[k]) ** 2) for p, k in zip(points, nearest, strict=True))

    (output,), loss = outputs_and_loss(network, values)

    assert float(output) == loss == pytest.approx(expected, rel=1e-12)
    by_centroids = [2 * np.sum(centroids[k] - points[nearest == k], axis=0) for k in range(3)]
    np.testing.assert_allclose(gradients(network, values)["centroids"], by_centroids, rtol=1e-10)
