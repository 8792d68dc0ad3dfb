//! `Thread.print`.

use super::parse::Argument;
use super::{Command, MONITOR};
use crate::observe::thread_dump::{self, What};

pub(super) static PRINT: Command = Command {
    name: "Thread.print",
    description: "Print all threads with stacktraces.",
    impact: "Medium: Depends on the number of threads.",
    permission: MONITOR,
    arguments: &[
        Argument::switch("-l", "print java.util.concurrent locks"),
        Argument::switch("-e", "print extended thread information"),
    ],
    in_mbean: true,
    run: |t, call, out| {
        let what = What { locks: call.values.is_on("-l"), extended: call.values.is_on("-e") };
        *out += &thread_dump::text(t, what);
        Ok(())
    },
};
