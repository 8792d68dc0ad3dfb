//! The text of `-Xlog:help`.

use super::decorations::DECORATORS;
use super::tags::TAGS;
use super::{Configuration, Level};

impl Configuration {
    /// What `-Xlog:help` prints: the grammar with its lists and some examples.
    pub fn help() -> String {
        let (levels, decorators) = names();
        format!(
            "-Xlog Usage: -Xlog[:[selections][:[output][:[decorators][:output-options]]]]

  selections      tag1[+tag2...][*][=level][,...]; default all=info.
                  Exactly these tags must be on a message; with '*' at least these.
  output          stdout (default), stderr, or file=<filename>;
                  %p and %t in the name become the process id and the start time.
  decorators      what precedes each message, comma-separated, or 'none'; default uptime,level,tags.
  output-options  for files: filecount=<number of old files kept, 0: no rotation>,
                  filesize=<bytes, K, M or G at which a new file is begun, 0: never>.

Available log levels:
 {}

Available log decorators: 
 {}

Available log tags:
 {}

Other forms:
 -Xlog           the same as -Xlog:all=info:stdout:uptime,level,tags
 -Xlog:disable   turns everything off, warnings and errors included
 -Xlog:async     accepted; messages are written at once all the same
 -Xlog:help      prints this

Examples:
 -Xlog:class+load            each class as it is loaded, to stdout
 -Xlog:gc*=debug,safepoint   everything about collections, and safepoints
 -Xlog:gc:file=gc-%p.log:time,tags:filecount=3,filesize=10m
",
            levels,
            decorators,
            TAGS.join(", ")
        )
    }

    /// What `VM.log list` prints before the outputs: all words that a configuration is made of.
    pub fn vocabulary() -> String {
        let (levels, decorators) = names();
        let tags = TAGS.join(", ");
        format!("Available log levels: {levels}\nAvailable log decorators: {decorators}\nAvailable log tags: {tags}\n")
    }
}

/// The names of levels and decorators.
fn names() -> (String, String) {
    let levels: Vec<&str> = Level::ALL.into_iter().map(Level::name).collect();
    let decorators: Vec<String> = DECORATORS.iter().map(|(name, short)| format!("{name} ({short})")).collect();
    (levels.join(", "), decorators.join(", "))
}
