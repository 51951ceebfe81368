"""The type checker of the test run: beartype, for which a whole number is a float, as in the typing rules."""

from beartype import BeartypeConf, beartype

checked = beartype(conf=BeartypeConf(is_pep484_tower=True))
