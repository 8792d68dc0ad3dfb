//! Where class bytes come from: the jimage, jars and directories.
