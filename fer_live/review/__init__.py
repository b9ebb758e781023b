"""Sessions read back: tables, summaries, reports and other tools' formats."""
