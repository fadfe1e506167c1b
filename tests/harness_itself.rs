//! Proves that the harness shows what it claims to show.
