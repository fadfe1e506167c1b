//! Each state of each hop, from facts of a deployment without problems.
