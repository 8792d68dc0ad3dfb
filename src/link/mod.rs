//! Loading, linking, resolution, selection and initialization (JVMS chapter 5).

pub mod access;
pub(crate) mod constraints;
mod define;
pub mod init;
mod layout;
pub mod load;
pub mod resolve;
mod verify;
pub mod vtable;
