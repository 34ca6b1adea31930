"""One model made from several: recipes, checks before and after, the search for the best recipe."""
