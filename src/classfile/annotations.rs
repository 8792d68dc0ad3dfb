//! Finds, in RuntimeVisibleAnnotations, the annotations by which the class library talks to the
//! virtual machine. Malformed annotations are no error: the class library parses them when asked.

use super::class::VmAnnotations;
use super::constant_pool::ConstantPool;
use super::parser::Parts;

/// What the annotations are on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Class,
    Field,
    Method,
}

/// Bytes of an attribute; nothing more is read once they run out.
struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    fn u8(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    fn u16(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes([self.u8()?, self.u8()?]))
    }

    fn skip(&mut self, count: usize) -> Option<()> {
        self.0 = self.0.get(count..)?;
        Some(())
    }
}

/// An array or annotation of which `remaining` values are still to come. Kept on a vector, not by
/// recursion, because the class file decides how deep they nest.
struct Open {
    remaining: u16,
    /// Each value is preceded by its element's name.
    named: bool,
}

/// Moves over one annotation, `type_index` first.
fn skip_annotation(cursor: &mut Cursor<'_>) -> Option<()> {
    cursor.skip(2)?;
    let mut open = vec![Open { remaining: cursor.u16()?, named: true }];
    while let Some(innermost) = open.last_mut() {
        if innermost.remaining == 0 {
            open.pop();
            continue;
        }
        innermost.remaining -= 1;
        if innermost.named {
            cursor.skip(2)?;
        }
        match cursor.u8()? {
            b'B' | b'C' | b'D' | b'F' | b'I' | b'J' | b'S' | b'Z' | b's' | b'c' => cursor.skip(2)?,
            b'e' => cursor.skip(4)?,
            b'@' => {
                cursor.skip(2)?;
                open.push(Open { remaining: cursor.u16()?, named: true });
            }
            b'[' => open.push(Open { remaining: cursor.u16()?, named: false }),
            _ => return None,
        }
    }
    Some(())
}

/// Collects from `contents`, the contents of a RuntimeVisibleAnnotations attribute, what counts at
/// `place`.
pub(super) fn collect(
    parts: &Parts<'_, '_, '_>,
    contents: &[u8],
    place: Place,
    found: &mut VmAnnotations,
) {
    let mut cursor = Cursor(contents);
    let Some(count) = cursor.u16() else { return };
    for _ in 0..count {
        let start = cursor.0;
        let complete = skip_annotation(&mut cursor).is_some();
        let annotation = if complete { &start[..start.len() - cursor.0.len()] } else { start };
        let Some(name) = Cursor(annotation).u16().and_then(|index| parts.pool.utf8(index)) else {
            return;
        };
        note(parts, name, annotation, place, found);
        if !complete {
            return;
        }
    }
}

fn note(
    parts: &Parts<'_, '_, '_>,
    name: &[u8],
    annotation: &[u8],
    place: Place,
    found: &mut VmAnnotations,
) {
    // Nearly all others end here.
    if !name.starts_with(b"Ljdk/internal/") && !name.starts_with(b"Ljava/lang/invoke/") {
        return;
    }
    if name == b"Ljdk/internal/vm/annotation/Contended;" {
        if place != Place::Method && parts.contended {
            found.contended = Some(contention_group(parts.pool, annotation).unwrap_or(0));
        }
        return;
    }
    if !parts.vm_annotations {
        return;
    }
    match (place, name) {
        (Place::Method, b"Ljdk/internal/vm/annotation/ForceInline;") => found.force_inline = true,
        (Place::Method, b"Ljdk/internal/vm/annotation/DontInline;") => found.dont_inline = true,
        (Place::Method, b"Ljdk/internal/vm/annotation/Hidden;") => found.hidden = true,
        (Place::Method, b"Ljdk/internal/vm/annotation/IntrinsicCandidate;") => {
            found.intrinsic_candidate = true;
        }
        (Place::Method, b"Ljdk/internal/vm/annotation/ReservedStackAccess;") => {
            found.reserved_stack_access = true;
        }
        (Place::Method, b"Ljdk/internal/reflect/CallerSensitive;") => found.caller_sensitive = true,
        (Place::Method, b"Ljdk/internal/misc/ScopedMemoryAccess$Scoped;") => found.scoped = true,
        (Place::Method, b"Ljava/lang/invoke/LambdaForm$Compiled;") => {
            found.lambda_form_compiled = true;
        }
        (Place::Method, b"Ljava/lang/invoke/InjectedProfile;") => found.injected_profile = true,
        (Place::Field, b"Ljdk/internal/vm/annotation/Stable;") => found.stable = true,
        (Place::Class, b"Ljdk/internal/ValueBased;") => found.value_based = true,
        _ => {}
    }
}

/// The group in `@Contended("group")`: the index of its Utf8, which stands for the group within
/// the class. `None` without one.
fn contention_group(pool: &ConstantPool<'_>, annotation: &[u8]) -> Option<u16> {
    let &[_, _, 0, 1, n0, n1, b's', g0, g1] = annotation else { return None };
    let group = u16::from_be_bytes([g0, g1]);
    let named_value = pool.utf8(u16::from_be_bytes([n0, n1]))? == b"value";
    (named_value && !pool.utf8(group)?.is_empty()).then_some(group)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deep_nesting_does_not_overflow_the_stack() {
        let mut bytes = vec![0, 1, 0, 1, 0, 0];
        for _ in 0..1_000_000 {
            bytes.extend_from_slice(&[b'[', 0, 1]);
        }
        assert!(skip_annotation(&mut Cursor(&bytes)).is_none());
        bytes.extend_from_slice(&[b'I', 0, 7]);
        let mut cursor = Cursor(&bytes);
        assert!(skip_annotation(&mut cursor).is_some());
        assert!(cursor.0.is_empty());
    }
}
