"""The methods text: paragraphs ready to paste, with every parameter, its unit and the citations."""
