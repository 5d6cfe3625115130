"""One file for each thing one can do, called by GraphQL, HTTP and the command line alike."""
