//! `Compiler.*`.

use super::{Command, MONITOR};
use crate::code::{compiled, sweep};
use crate::compiler::broker;
use std::fmt::Write as _;

pub(super) static CODECACHE: Command = Command {
    name: "Compiler.codecache",
    description: "Print code cache layout and bounds.",
    impact: "Low",
    permission: MONITOR,
    arguments: &[],
    in_mbean: true,
    run: |_, _, out| {
        let _ = writeln!(out, "{}", sweep::summary());
        Ok(())
    },
};

pub(super) static CODELIST: Command = Command {
    name: "Compiler.codelist",
    description: "Print all compiled methods in code cache that are alive",
    impact: "Medium",
    permission: MONITOR,
    arguments: &[],
    in_mbean: true,
    run: |_, _, out| {
        for c in compiled::all() {
            let end = c.entry + c.bytes;
            let _ = writeln!(
                out,
                "{} {} {} {} [{:#018x}, {:#018x} - {end:#018x}]",
                c.id,
                c.tier,
                c.state() as u8,
                c.method.name_and_signature(),
                c.entry,
                c.entry
            );
        }
        Ok(())
    },
};

pub(super) static QUEUE: Command = Command {
    name: "Compiler.queue",
    description: "Print methods queued for compilation.",
    impact: "Low",
    permission: MONITOR,
    arguments: &[],
    in_mbean: true,
    run: |_, _, out| {
        if let Some(b) = broker::get() {
            *out += &b.dump_queues();
        }
        Ok(())
    },
};
