"""One command that makes the table of the SAOM recipes against SAM: data, trainings, scorings, report."""
