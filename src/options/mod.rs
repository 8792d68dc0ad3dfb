//! The VM's options as HotSpot's command line has them.
