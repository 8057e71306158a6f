//! What the tests from outside share.

pub mod mosquitto;
pub mod shared_data;
