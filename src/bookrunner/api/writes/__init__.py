"""The functions behind the writes: caller, claimed key, act and stored answer in one statement."""
