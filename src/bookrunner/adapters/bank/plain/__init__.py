"""Bank formats that are plain text: BAI2 and SWIFT MT940."""
