"""How a node is asked, what it may answer, and what goes wrong with it. Most code needs `connection` one level up."""
