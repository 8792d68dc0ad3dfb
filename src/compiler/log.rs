//! `-XX:+PrintCompilation` in HotSpot's columns.

use super::inlining::Decision;
use crate::meta::method::MethodRef;

/// What a line is about.
pub struct Line<'a> {
    /// Since the VM's start.
    pub milliseconds: u64,
    pub id: u32,
    pub method: MethodRef,
    pub osr_bci: Option<u16>,
    pub tier: u8,
    pub blocking: bool,
    /// "made not entrant", "COMPILE SKIPPED: …".
    pub message: Option<&'a str>,
}

/// The attributes between id and tier: `%` on-stack replacement, `s` synchronized, `!` exception handlers,
/// `b` the program waits, `n` native.
fn attributes(l: &Line<'_>) -> String {
    let m = l.method;
    let handlers = m.code_attribute().is_some_and(|c| !c.exception_table.is_empty());
    let mark = |on: bool, c: char| if on { c } else { ' ' };
    [
        mark(l.osr_bci.is_some(), '%'),
        mark(m.is_synchronized(), 's'),
        mark(handlers, '!'),
        mark(l.blocking, 'b'),
        mark(m.is_native(), 'n'),
    ]
    .iter()
    .collect()
}

/// The line without its end.
pub fn line(l: &Line<'_>) -> String {
    let m = l.method;
    let mut out = format!(
        "{:7} {:4} {} {}       {}::{}",
        l.milliseconds,
        l.id,
        attributes(l),
        l.tier,
        m.class().external_name(),
        m.name
    );
    if let Some(bci) = l.osr_bci {
        out += &format!(" @ {bci}");
    }
    if m.is_native() {
        out += " (native)";
    } else {
        out += &format!(" ({} bytes)", m.code.len());
    }
    if let Some(message) = l.message {
        out += &format!("   {message}");
    }
    out
}

/// Prints the line to standard output, as HotSpot does.
pub fn print(l: &Line<'_>) {
    use std::io::Write;
    // A closed standard output silences the log, nothing else.
    let _ = writeln!(std::io::stdout().lock(), "{}", line(l));
}

/// `-XX:+PrintInlining`: one decision, indented by its depth.
pub fn print_inlining(d: &Decision) {
    use std::io::Write;
    let m = d.callee;
    let verdict = match &d.verdict {
        Ok(why) => why.to_string(),
        Err(why) => why.to_string(),
    };
    let _ = writeln!(
        std::io::stdout().lock(),
        "{:26}{:indent$}@ {}   {}::{} ({} bytes)   {verdict}",
        "",
        "",
        d.bci,
        m.class().external_name(),
        m.name,
        m.code.len(),
        indent = 2 * d.depth + 2,
    );
}
