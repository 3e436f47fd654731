"""What judges and shows: result tables, statistics, comparison and the formats they are told in."""
