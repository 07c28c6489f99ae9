"""One module per agent: `answer` is the pure function, `application` serves it over HTTP."""
