//! Class files (JVMS 4): zero-copy reader with full format checking.
