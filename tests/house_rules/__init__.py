"""Rules of the house: what a linter cannot know, each with a control that shows it turning red."""
