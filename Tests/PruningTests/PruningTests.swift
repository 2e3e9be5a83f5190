// Placeholder of the test target; replaced by its first test.
