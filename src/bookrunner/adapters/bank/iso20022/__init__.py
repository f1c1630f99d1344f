"""ISO 20022 as XML: fed in pieces, checked against its schemas, read field by field."""
