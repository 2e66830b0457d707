"""A long steady load with readers: what is taken in, how fast the map answers, what memory it takes."""
