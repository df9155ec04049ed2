//! Two sessions over links made of numbers.
