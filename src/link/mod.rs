//! Loading, linking, resolution, selection and initialization (JVMS chapter 5).

pub mod init;
pub mod load;
pub mod resolve;
