//! InnerClasses (JVMS 4.7.6).

use std::collections::HashMap;

use super::access::{ACC_ABSTRACT, ACC_INTERFACE, ACC_MODULE};
use super::class::InnerClass;
use super::constant_pool::ConstantPool;
use super::error::FormatError;
use super::flags::INNER_CLASS_FLAGS;
use super::parser::Parts;
use super::reader::Reader;

/// Parses the attribute's contents, which `reader` is at. Entries that contradict each other
/// (circular, or two for one class) make HotSpot ignore the attribute as a whole: then the vector
/// is empty. The number of entries comes with it.
pub(super) fn parse(
    reader: &mut Reader<'_>,
    parts: &Parts<'_, '_, '_>,
) -> Result<(Vec<InnerClass>, u16), FormatError> {
    let count = reader.u16()?;
    reader.need(8 * usize::from(count))?;
    let mut classes = Vec::with_capacity(usize::from(count));
    for _ in 0..count {
        classes.push(parse_entry(reader, parts)?);
    }
    if parts.context.check_format && contradicts_itself(&classes, parts)? {
        classes.clear();
    }
    Ok((classes, count))
}

fn parse_entry(
    reader: &mut Reader<'_>,
    parts: &Parts<'_, '_, '_>,
) -> Result<InnerClass, FormatError> {
    let context = parts.context;
    let inner_class = reader.u16()?;
    parts.require_class(
        inner_class,
        "inner_class_info_index %u has bad constant type in class file %s",
    )?;
    let outer_class = reader.u16()?;
    if outer_class != 0 {
        parts.require_class(
            outer_class,
            "outer_class_info_index %u has bad constant type in class file %s",
        )?;
        let name = parts.pool.class_name(outer_class).unwrap_or(b"");
        context.require(
            name.first() != Some(&b'['),
            "Outer class is an array class in class file %s",
        )?;
    }
    let inner_name = reader.u16()?;
    if inner_name != 0 {
        parts.utf8(inner_name, "inner_name_index %u has bad constant type in class file %s")?;
    }
    if context.check_format {
        context.require(
            inner_class != outer_class,
            "Class is both outer and inner class in class file %s",
        )?;
    }
    let module = if context.major_version >= 53 { ACC_MODULE } else { 0 };
    let mut access_flags = reader.u16()? & (INNER_CLASS_FLAGS | module);
    if access_flags & ACC_INTERFACE != 0 && context.major_version < 50 {
        access_flags |= ACC_ABSTRACT;
    }
    context.check_class_flags(access_flags)?;
    Ok(InnerClass {
        inner_class,
        outer_class: (outer_class != 0).then_some(outer_class),
        inner_name: (inner_name != 0).then_some(inner_name),
        access_flags,
    })
}

/// Whether some class is its own outer class, directly or through others, or a class has two
/// entries. Two equal entries are an error from version 49 on.
fn contradicts_itself(
    classes: &[InnerClass],
    parts: &Parts<'_, '_, '_>,
) -> Result<bool, FormatError> {
    let circular = circular_entries(classes, parts.pool);
    // For each entry the next one with the same inner class.
    let mut next_same = vec![None; classes.len()];
    let mut last = HashMap::with_capacity(classes.len());
    for (place, class) in classes.iter().enumerate().rev() {
        next_same[place] = last.insert(class.inner_class, place);
    }
    for (place, class) in classes.iter().enumerate() {
        if circular[place] {
            return Ok(true);
        }
        if let Some(next) = next_same[place] {
            if parts.context.major_version >= 49 && classes[next] == *class {
                return Err(parts
                    .context
                    .error("Duplicate entry in InnerClasses attribute in class file %s"));
            }
            return Ok(true);
        }
    }
    Ok(false)
}

/// For each entry, whether going from outer class to outer class leads into a circle. Each entry
/// is walked over once, however long the chains.
fn circular_entries(classes: &[InnerClass], pool: &ConstantPool<'_>) -> Vec<bool> {
    #[derive(Clone, Copy, PartialEq)]
    enum State {
        New,
        OnPath,
        Done(bool),
    }
    let name = |index: u16| pool.class_name(index).unwrap_or(b"");
    let mut first_entry = HashMap::with_capacity(classes.len());
    for (place, class) in classes.iter().enumerate() {
        first_entry.entry(name(class.inner_class)).or_insert(place);
    }
    let outer_entry = |place: usize| {
        let class: &InnerClass = &classes[place];
        class.outer_class.and_then(|outer| first_entry.get(name(outer)).copied())
    };
    let mut states = vec![State::New; classes.len()];
    let mut path = Vec::new();
    for start in 0..classes.len() {
        let mut at = Some(start);
        let circular = loop {
            let Some(place) = at else { break false };
            match states[place] {
                State::New => {
                    states[place] = State::OnPath;
                    path.push(place);
                    let class = &classes[place];
                    if class.outer_class.is_some_and(|o| name(o) == name(class.inner_class)) {
                        break true;
                    }
                    at = outer_entry(place);
                }
                State::OnPath => break true,
                State::Done(circular) => break circular,
            }
        };
        for place in path.drain(..) {
            states[place] = State::Done(circular);
        }
    }
    states.iter().map(|&state| state == State::Done(true)).collect()
}
