"""The compliance programme: dated rules, the version that decisions are made under, records of clearances."""
