"""The instructor's side. No lesson and no other module imports it, and a bundle for students leaves it out."""
