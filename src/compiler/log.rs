//! `-XX:+PrintCompilation`, `-XX:+PrintInlining`, `-XX:+PrintAssembly` and `-Xlog:jit+compilation=debug` in HotSpot's columns.

use super::inlining::Decision;
use crate::code::compiled::CompiledMethod;
use crate::meta::method::{method_flags, MethodRef};
use crate::observe::log::uptime;
use std::fmt::Write as _;

/// What a line is about.
pub struct Line<'a> {
    pub id: u32,
    pub method: MethodRef,
    pub osr_bci: Option<u16>,
    pub tier: u8,
    /// There are tiers: the line shows which.
    pub tiered: bool,
    pub blocking: bool,
    /// "made not entrant", "COMPILE SKIPPED: …".
    pub message: Option<&'a str>,
}

/// `java.lang.Object::equals(Ljava/lang/Object;)Z (11 bytes)`.
pub fn name_and_size(m: MethodRef) -> String {
    format!("{}::{}{} ({} bytes)", m.class().external_name(), m.name, m.descriptor, m.code.len())
}

fn has_handlers(m: MethodRef) -> bool {
    m.code_attribute().is_some_and(|c| !c.exception_table.is_empty())
}

fn mark(on: bool, c: char) -> char {
    if on {
        c
    } else {
        ' '
    }
}

impl Line<'_> {
    /// The attributes between id and tier: `%` on-stack replacement, `s` synchronized, `!` exception handlers,
    /// `b` the program waits, `n` native.
    fn attributes(&self) -> String {
        let m = self.method;
        [
            mark(self.osr_bci.is_some(), '%'),
            mark(m.is_synchronized(), 's'),
            mark(has_handlers(m), '!'),
            mark(self.blocking, 'b'),
            mark(m.is_native(), 'n'),
        ]
        .iter()
        .collect()
    }

    /// The line as the log has it: without the time.
    pub fn short(&self) -> String {
        let m = self.method;
        let mut out = format!("{:4} {} ", self.id, self.attributes());
        // Writing to a string does not fail.
        if self.tiered {
            let _ = write!(out, "{} ", self.tier);
        }
        let _ = write!(out, "      {}::{}", m.class().external_name(), m.name);
        if let Some(bci) = self.osr_bci {
            let _ = write!(out, " @ {bci}");
        }
        if m.is_native() {
            out += " (native)";
        } else {
            let _ = write!(out, " ({} bytes)", m.code.len());
        }
        if let Some(message) = self.message {
            let _ = write!(out, "   {message}");
        }
        out
    }

    /// Prints the line, with the milliseconds since the VM's start, to standard output, as HotSpot does.
    pub fn print(&self) {
        out(&format!("{:7} {}", uptime().as_millis(), self.short()));
    }
}

/// A line about a method that is not compiled any more, on one tier or (`None`) all.
pub fn not_compilable(m: MethodRef, tier: Option<u8>, osr: bool, why: &str) -> String {
    let osr = if osr { "OSR " } else { "" };
    let level = tier.map_or("all levels".to_string(), |t| format!("level {t}"));
    let size = if m.code.is_empty() { String::new() } else { format!(" ({} bytes)", m.code.len()) };
    format!("made not {osr}compilable on {level}  {}::{}{size}   {why}", m.class().external_name(), m.name)
}

/// A line of the VM's output.
pub fn out(line: &str) {
    tty(&format!("{line}\n"));
}

/// Text to where the VM's output goes, in one piece: `-XX:±DisplayVMOutput`, `-XX:+DisplayVMOutputToStderr`.
pub fn tty(text: &str) {
    use std::io::Write;
    let flags = &crate::vm::get().options.flags;
    if !flags.bool("DisplayVMOutput") {
        return;
    }
    // Output that is closed silences the log, nothing else.
    let _ = match flags.bool("DisplayVMOutputToStderr") {
        true => std::io::stderr().lock().write_all(text.as_bytes()),
        false => std::io::stdout().lock().write_all(text.as_bytes()),
    };
}

/// What `-XX:+PrintInlining` says about a compile, if it is to be `print`ed: one decision a line, indented by its
/// depth. In one piece, so that the lines of compiles do not mix. The log has the same lines.
pub fn inlining(decisions: &[Decision], print: bool) {
    if print {
        let text: String = decisions.iter().map(|d| inlining_line(d) + "\n").collect();
        tty(&text);
    }
    for d in decisions {
        crate::log!(Debug, [jit, inlining], "{}", inlining_line(d));
    }
}

/// What `-XX:+PrintAssembly` says about installed code: offsets are from its entry. In one piece.
pub fn print_assembly(c: &CompiledMethod, listing: &str) {
    let at = c.osr_bci.map_or(String::new(), |b| format!(" @ {b}"));
    let head = format!(
        "----- {} (id {}, tier {}{at}), {} bytes at {:#x}\n",
        c.method.name_and_signature(),
        c.id,
        c.tier,
        c.bytes,
        c.entry
    );
    tty(&(head + listing + "-----\n"));
}

/// Attributes `s` synchronized, `!` exception handlers, `m` monitors; then bytecode index, callee, verdict.
fn inlining_line(d: &Decision) -> String {
    let m = d.callee;
    let verdict = match &d.verdict {
        Ok(why) => why.to_string(),
        Err(why) => why.to_string(),
    };
    format!(
        "{:14}{}{}{}{:13}{:indent$}@ {}   {}::{} ({} bytes)   {verdict}",
        "",
        mark(m.is_synchronized(), 's'),
        mark(has_handlers(m), '!'),
        mark(m.has_flag(method_flags::HAS_MONITOR_BYTECODES), 'm'),
        "",
        "",
        d.bci,
        m.class().external_name(),
        m.name,
        m.code.len(),
        // The compiled method itself is one of those around.
        indent = 2 * d.depth.saturating_sub(1),
    )
}
