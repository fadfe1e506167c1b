//! The files of the program that read foreign bytes.

#[allow(dead_code, reason = "not all of it is read here")]
#[path = "../../src/tail"]
pub mod tail {
    mod actor;
    mod members;
    mod name;
    pub mod notice;
    pub mod object;
    pub mod record;
    mod scan;
    mod shape;
    mod unpack;
    pub mod visible;
    mod walk;
    mod window;
}
