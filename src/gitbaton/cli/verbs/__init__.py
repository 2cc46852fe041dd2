"""One verb a file. Each defines ``command``; ``cli/catalogue.py`` lists them."""
