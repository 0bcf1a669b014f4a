"""The page where an operator signs in and says which seat is theirs."""
