//! Listings of machine code: `-XX:+PrintAssembly`, and what the golden tests compare.

use super::Arch;
use crate::code::assembled::{Assembled, DebugPoint, PointKind, Where};
use std::fmt::Write;

/// The instructions of `a` as text, one a line, with what is known of them: the IR they were made from, stubs
/// that are called, debug points. Addresses are offsets in the code.
pub fn disassemble(arch: Arch, a: &Assembled) -> String {
    let mut out = String::new();
    let mut comments = a.comments.iter().peekable();
    for (start, end, text) in instructions(arch, a) {
        while let Some((_, c)) = comments.next_if(|c| c.0 <= start) {
            let _ = writeln!(out, "  ; {c}");
        }
        let _ = write!(out, "{start:5x}: {text}");
        for f in a.faults.iter().filter(|f| f.0 == start) {
            let _ = write!(out, "  ; null: {:x}", f.1);
        }
        for r in a.relocations.iter().filter(|r| (start..end).contains(&r.offset)) {
            let _ = write!(out, "  ; {:?}", r.target);
        }
        out.push('\n');
        for p in a.points.iter().filter(|p| p.pc == end) {
            let _ = writeln!(out, "  ; {}", point(p));
        }
        for h in a.handlers.iter().filter(|h| h.0 == end) {
            let _ = writeln!(out, "  ; handler {:x}", h.1);
        }
    }
    out
}

/// A debug point on one line.
fn point(p: &DebugPoint) -> String {
    let mut s = match p.kind {
        PointKind::Deopt(reason, action) => format!("deopt {reason} {action}"),
        kind => format!("{kind:?}").to_lowercase(),
    };
    for f in &p.frames {
        let list = |v: &[Where]| v.iter().map(place).collect::<Vec<_>>().join(" ");
        let _ = write!(s, " {}@{} {:?} locals({}) stack({})", f.method.name, f.bci, f.resume, list(&f.locals), list(&f.stack));
        if !f.monitors.is_empty() {
            let monitors: Vec<Where> = f.monitors.iter().map(|m| m.0).collect();
            let _ = write!(s, " monitors({})", list(&monitors));
        }
    }
    if !p.virtuals.is_empty() {
        let _ = write!(s, " {} virtual objects", p.virtuals.len());
    }
    s
}

fn place(w: &Where) -> String {
    match w {
        Where::Dead => "-".to_string(),
        Where::Int(ty, r) => format!("{ty}:r{r}"),
        Where::Float(ty, r) => format!("{ty}:v{r}"),
        Where::Frame(ty, at) => format!("{ty}:[sp+{at:x}]"),
        Where::Const(ty, bits) => format!("{ty}:{bits:#x}"),
        Where::Object(slot) => format!("object:{slot:#x}"),
        Where::Mirror(c) => format!("mirror:{c}"),
        Where::Virtual(n) => format!("virtual:{n}"),
    }
}

/// (offset, end, text) of each instruction.
fn instructions(arch: Arch, a: &Assembled) -> Vec<(u32, u32, String)> {
    match arch {
        Arch::X64 => x64(&a.code),
        Arch::Arm64 => arm64(&a.code),
    }
}

fn x64(code: &[u8]) -> Vec<(u32, u32, String)> {
    use iced_x86::{Decoder, DecoderOptions, Formatter, Instruction, IntelFormatter};
    let mut formatter = IntelFormatter::new();
    let o = formatter.options_mut();
    o.set_hex_prefix("0x");
    o.set_hex_suffix("");
    o.set_uppercase_hex(false);
    o.set_space_after_operand_separator(true);
    o.set_branch_leading_zeros(false);
    o.set_rip_relative_addresses(true);
    let mut decoder = Decoder::with_ip(64, code, 0, DecoderOptions::NONE);
    let mut instruction = Instruction::default();
    let mut out = Vec::new();
    while decoder.can_decode() {
        decoder.decode_out(&mut instruction);
        let mut text = String::new();
        formatter.format(&instruction, &mut text);
        out.push((instruction.ip() as u32, instruction.next_ip() as u32, text));
    }
    out
}

fn arm64(code: &[u8]) -> Vec<(u32, u32, String)> {
    use yaxpeax_arch::{Decoder, U8Reader};
    use yaxpeax_arm::armv8::a64::InstDecoder;
    let decoder = InstDecoder::default();
    code.chunks_exact(4)
        .enumerate()
        .map(|(n, word)| {
            let text = match decoder.decode(&mut U8Reader::new(word)) {
                Ok(i) => i.to_string(),
                Err(_) => format!(".word {:#010x}", u32::from_le_bytes([word[0], word[1], word[2], word[3]])),
            };
            (4 * n as u32, 4 * n as u32 + 4, text)
        })
        .collect()
}
