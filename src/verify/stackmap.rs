//! The StackMapTable attribute (JVMS 4.7.4): decoding it, and matching frames with its frames.

use super::class::ClassVerifier;
use super::error::{Fault, Origin, Place, Snapshot};
use super::method::{MethodVerifier, INSTRUCTION_START, NEW_START};
use super::types::{VType, Want};
use super::{opcodes, Failure, Stop, CLASS_FORMAT_ERROR};
use crate::classfile::tag;

/// A frame of the table. Locals and stack are ranges of [`StackMapTable::types`], which frames share.
#[derive(Clone, Copy, Debug)]
struct MapFrame {
    offset: i32,
    this_uninit: bool,
    locals: (usize, usize),
    stack: (usize, usize),
}

/// The decoded table of a method: frames of ascending bytecode index.
#[derive(Default)]
pub(super) struct StackMapTable {
    frames: Vec<MapFrame>,
    types: Vec<VType>,
}

impl StackMapTable {
    fn find(&self, bci: i32) -> Option<usize> {
        self.frames.binary_search_by_key(&bci, |frame| frame.offset).ok()
    }

    fn slice(&self, (start, end): (usize, usize)) -> &[VType] {
        &self.types[start..end]
    }

    fn snapshot(&self, frame: &MapFrame) -> Snapshot {
        Snapshot {
            offset: frame.offset,
            this_uninit: frame.this_uninit,
            locals: self.slice(frame.locals).to_vec(),
            stack: self.slice(frame.stack).to_vec(),
        }
    }
}

/// The table is malformed: the reason is in the decoder.
struct Malformed;

/// Reads the attribute. It goes on after some errors as HotSpot does, for the sake of which of
/// several it reports: the first of those it throws at once, else the last of those it notes.
struct Decoder<'d, 'v, 'a, E> {
    class: &'d mut ClassVerifier<'v, 'a, E>,
    table: &'d mut StackMapTable,
    starts: &'d [u8],
    data: &'d [u8],
    at: usize,
    max_locals: usize,
    max_stack: usize,
    thrown: Option<&'static str>,
    noted: Option<&'static str>,
}

impl<E> Decoder<'_, '_, '_, E> {
    fn throw(&mut self, message: &'static str) {
        self.thrown.get_or_insert(message);
    }

    fn check(&self) -> Result<(), Malformed> {
        if self.thrown.is_some() || self.noted.is_some() {
            Err(Malformed)
        } else {
            Ok(())
        }
    }

    fn u8(&mut self) -> u8 {
        match self.data.get(self.at) {
            Some(&byte) => {
                self.at += 1;
                byte
            }
            None => {
                self.throw("access beyond the end of attribute");
                0
            }
        }
    }

    fn u16(&mut self) -> u16 {
        if self.at + 2 > self.data.len() {
            self.throw("access beyond the end of attribute");
            return 0;
        }
        self.at += 2;
        opcodes::u16_at(self.data, self.at - 2)
    }

    /// A verification_type_info; notes in `this_uninit` that it is uninitializedThis.
    fn verification_type(&mut self, this_uninit: &mut bool) -> VType {
        match self.u8() {
            0 => VType::Top,
            1 => VType::Integer,
            2 => VType::Float,
            3 => VType::Double,
            4 => VType::Long,
            5 => VType::Null,
            6 => {
                *this_uninit = true;
                VType::UninitializedThis
            }
            7 => {
                let index = self.u16();
                if self.class.cls.constant_pool.tag(index) == tag::CLASS {
                    if let Ok(name) = self.class.class_name(index) {
                        return VType::Ref(name);
                    }
                }
                self.throw("bad class index");
                VType::Top
            }
            8 => {
                let bci = self.u16();
                if self.starts.get(usize::from(bci)) == Some(&NEW_START) {
                    return VType::Uninitialized(bci);
                }
                self.noted = Some("bad offset for Uninitialized");
                VType::Top
            }
            _ => {
                self.throw("bad verification type");
                VType::Top
            }
        }
    }

    /// Reads `count` types to the end of the table's types.
    fn verification_types(&mut self, count: u16, this_uninit: &mut bool) {
        for _ in 0..count {
            let ty = self.verification_type(this_uninit);
            self.table.types.push(ty);
            self.table.types.extend(ty.second());
        }
    }

    fn check_size(&mut self, size: Option<usize>, limit: usize) -> Result<(), Malformed> {
        if size.is_none_or(|size| size > limit) {
            self.noted = Some("bad type array size");
        }
        self.check()
    }

    /// The frame after `previous`, which is the method's initial one if `first`.
    fn next(&mut self, previous: MapFrame, first: bool) -> Result<MapFrame, Malformed> {
        let base = if first { 0 } else { previous.offset + 1 };
        let no_stack = (0, 0);
        let frame_type = self.u8();
        match frame_type {
            0..=63 => {
                let offset = base + i32::from(frame_type);
                Ok(MapFrame { offset, stack: no_stack, ..previous })
            }
            64..=127 => self.one_stack_item(base + i32::from(frame_type) - 64, previous),
            128..=246 => {
                self.u16();
                self.throw("reserved frame type");
                Err(Malformed)
            }
            247 => {
                let offset = base + i32::from(self.u16());
                self.one_stack_item(offset, previous)
            }
            248..=251 => {
                let offset = base + i32::from(self.u16());
                let chops = 251 - frame_type;
                if chops == 0 {
                    return Ok(MapFrame { offset, stack: no_stack, ..previous });
                }
                let kept = chop(self.table.slice(previous.locals), chops);
                self.check_size(kept, self.max_locals)?;
                let locals = (previous.locals.0, previous.locals.0 + kept.unwrap_or(0));
                let this_uninit = self.table.slice(locals).contains(&VType::UninitializedThis);
                Ok(MapFrame { offset, this_uninit, locals, stack: no_stack })
            }
            252..=254 => {
                let offset = base + i32::from(self.u16());
                let mut this_uninit = previous.this_uninit;
                let mut start = previous.locals.0;
                if previous.locals.1 != self.table.types.len() {
                    start = self.table.types.len();
                    self.table.types.extend_from_within(previous.locals.0..previous.locals.1);
                }
                self.verification_types(u16::from(frame_type) - 251, &mut this_uninit);
                let locals = (start, self.table.types.len());
                self.check_size(Some(locals.1 - locals.0), self.max_locals)?;
                Ok(MapFrame { offset, this_uninit, locals, stack: no_stack })
            }
            255 => {
                let offset = base + i32::from(self.u16());
                let mut this_uninit = false;
                let start = self.table.types.len();
                let count = self.u16();
                self.verification_types(count, &mut this_uninit);
                let middle = self.table.types.len();
                self.check_size(Some(middle - start), self.max_locals)?;
                let count = self.u16();
                self.verification_types(count, &mut false);
                let end = self.table.types.len();
                self.check_size(Some(end - middle), self.max_stack)?;
                Ok(MapFrame { offset, this_uninit, locals: (start, middle), stack: (middle, end) })
            }
        }
    }

    fn one_stack_item(&mut self, offset: i32, previous: MapFrame) -> Result<MapFrame, Malformed> {
        let start = self.table.types.len();
        let ty = self.verification_type(&mut false);
        self.check()?;
        self.table.types.push(ty);
        self.table.types.extend(ty.second());
        let stack = (start, self.table.types.len());
        self.check_size(Some(stack.1 - stack.0), self.max_stack)?;
        Ok(MapFrame { offset, stack, ..previous })
    }
}

/// How many slots are left when the last `chops` variables go; `None` if there are not so many.
fn chop(locals: &[VType], chops: u8) -> Option<usize> {
    let mut size = locals.len();
    for _ in 0..chops {
        let slots = if locals.get(size.checked_sub(1)?)?.is_category2_2nd() { 2 } else { 1 };
        size = size.checked_sub(slots)?;
    }
    Some(size)
}

impl<E> MethodVerifier<'_, '_, '_, E> {
    /// Decodes the method's StackMapTable; the current frame is the method's initial one.
    pub(super) fn decode_stack_map_table(&mut self) -> Result<(), Stop<E>> {
        self.map.frames.clear();
        self.map.types.clear();
        let Some(data) = self.code.stack_map_table else { return Ok(()) };
        self.map.types.extend_from_slice(&self.frame.locals[..self.frame.locals_size]);
        let mut previous = MapFrame {
            offset: 0,
            this_uninit: self.frame.this_uninit,
            locals: (0, self.frame.locals_size),
            stack: (0, 0),
        };
        let mut decoder = Decoder {
            class: self.class,
            table: &mut self.map,
            starts: &self.starts,
            data,
            at: 0,
            max_locals: usize::from(self.code.max_locals),
            max_stack: usize::from(self.code.max_stack),
            thrown: None,
            noted: None,
        };
        let count = decoder.u16();
        let mut bad_offset = None;
        let mut well_formed = decoder.check().is_ok();
        for index in 0..count {
            if !well_formed {
                break;
            }
            match decoder.next(previous, index == 0).and_then(|f| decoder.check().map(|()| f)) {
                Ok(frame) => {
                    let start = decoder.starts.get(frame.offset as usize);
                    if start.is_none_or(|&start| start == 0) {
                        bad_offset = Some(frame);
                        break;
                    }
                    decoder.table.frames.push(frame);
                    previous = frame;
                }
                Err(Malformed) => well_formed = false,
            }
        }
        if well_formed && bad_offset.is_none() && decoder.at != data.len() {
            decoder.throw("wrong attribute size");
        }
        let (thrown, noted) = (decoder.thrown, decoder.noted);
        if let Some(message) = thrown {
            // HotSpot throws it where it finds it, so that version 50 does not fail over.
            return Err(Stop::Failure(Box::new(Failure {
                class: CLASS_FORMAT_ERROR,
                message: format!("StackMapTable format error: {message}").into_bytes(),
                may_fail_over: false,
            })));
        }
        if let Some(message) = noted {
            return Err(self.class_format_error(format!("StackMapTable format error: {message}")));
        }
        if let Some(frame) = bad_offset {
            let fault = Fault::BadStackMap(self.map.snapshot(&frame));
            return Err(self.fail_at(0, fault, "StackMapTable error: bad offset"));
        }
        Ok(())
    }

    /// What keeps the frame at hand from being assignable to frame `index` of the table, and where.
    ///
    /// The frame at hand is the current one; at an exception handler (`thrown` and its flag given)
    /// with the exception as the only operand.
    fn mismatch(
        &mut self,
        index: usize,
        thrown: Option<(VType, bool)>,
    ) -> Result<Option<(i32, Fault)>, Stop<E>> {
        let target = self.map.frames[index];
        let (depth, this_uninit) = match thrown {
            Some((_, this_uninit)) => (1, this_uninit),
            None => (self.frame.stack_size, self.frame.this_uninit),
        };
        if depth != target.stack.1 - target.stack.0 {
            let fault = Fault::StackSize(self.snapshot_at_hand(thrown), self.map.snapshot(&target));
            return Ok(Some((self.frame.offset, fault)));
        }
        for (slot, wanted) in (target.locals.0..target.locals.1).enumerate() {
            let (to, from) = (self.map.types[wanted], self.frame.locals[slot]);
            if !self.class.is_assignable(from, to)? {
                let places = (Place::Local(slot), Place::MapLocal(slot));
                return Ok(Some(self.type_mismatch(&target, thrown, (from, to), places)));
            }
        }
        for (slot, wanted) in (target.stack.0..target.stack.1).enumerate() {
            let to = self.map.types[wanted];
            let from = thrown.map_or_else(|| self.frame.stack[slot], |(exception, _)| exception);
            if !self.class.is_assignable(from, to)? {
                let places = (Place::Stack(slot), Place::MapStack(slot));
                return Ok(Some(self.type_mismatch(&target, thrown, (from, to), places)));
            }
        }
        if this_uninit && !target.this_uninit {
            let fault = Fault::Flags(self.snapshot_at_hand(thrown), self.map.snapshot(&target));
            return Ok(Some((target.offset, fault)));
        }
        Ok(None)
    }

    fn type_mismatch(
        &self,
        target: &MapFrame,
        thrown: Option<(VType, bool)>,
        (from, to): (VType, VType),
        (place, map_place): (Place, Place),
    ) -> (i32, Fault) {
        let found =
            Origin { ty: Want::Type(from), place, frame: Some(self.snapshot_at_hand(thrown)) };
        let wanted =
            Origin { ty: Want::Type(to), place: map_place, frame: Some(self.map.snapshot(target)) };
        (target.offset, Fault::Type(found, Some(wanted)))
    }

    fn snapshot_at_hand(&self, thrown: Option<(VType, bool)>) -> Snapshot {
        let current = self.frame.snapshot();
        match thrown {
            Some((exception, this_uninit)) => {
                Snapshot { this_uninit, stack: vec![exception], ..current }
            }
            None => current,
        }
    }

    fn frame_at(&self, target: i32) -> Result<usize, Stop<E>> {
        self.map.find(target).ok_or_else(|| {
            let message = format!("Expecting a stackmap frame at branch target {target}");
            self.fail_at(self.frame.offset, Fault::NoStackMap, &message)
        })
    }

    /// Checks that the instruction at `bci` may jump by `offset` (JVMS 4.10.1.9, `targetIsTypeSafe`).
    pub(super) fn check_jump(&mut self, bci: usize, offset: i32) -> Result<(), Stop<E>> {
        let target = (bci as i32).wrapping_add(offset);
        let index = self.frame_at(target)?;
        match self.mismatch(index, None)? {
            None => Ok(()),
            Some((bci, fault)) => {
                let message = format!("Inconsistent stackmap frames at branch target {target}");
                Err(self.fail_at(bci, fault, &message))
            }
        }
    }

    /// Checks that the exception `thrown` may arrive at the handler at `handler`, with the current
    /// locals and this flag.
    pub(super) fn check_handler(
        &mut self,
        handler: u16,
        thrown: VType,
        this_uninit: bool,
    ) -> Result<(), Stop<E>> {
        if self.code.max_stack == 0 {
            let frame = Snapshot { this_uninit, stack: Vec::new(), ..self.frame.snapshot() };
            let fault = Fault::StackOverflow(frame);
            return Err(self.fail_at(self.frame.offset, fault, "Operand stack overflow"));
        }
        let index = self.frame_at(i32::from(handler))?;
        match self.mismatch(index, Some((thrown, this_uninit)))? {
            None => Ok(()),
            Some((bci, fault)) => {
                let message =
                    format!("Stack map does not match the one at exception handler {handler}");
                Err(self.fail_at(bci, fault, &message))
            }
        }
    }

    /// Merges with the table's frame at `bci`, if there is one: frame `next` is the next to be met.
    /// `reachable`: control can come from the instruction before. Returns the next frame after that.
    pub(super) fn merge_stack_map(
        &mut self,
        next: usize,
        bci: usize,
        reachable: bool,
    ) -> Result<usize, Stop<E>> {
        let bci = bci as i32;
        let Some(&MapFrame { offset, .. }) = self.map.frames.get(next) else {
            if !reachable {
                return Err(self.fail_at(bci, Fault::Bytecode, "Expecting a stack map frame"));
            }
            return Ok(next);
        };
        if !reachable && offset > bci {
            return Err(self.fail_at(bci, Fault::NoStackMap, "Expecting a stack map frame"));
        }
        if offset < bci {
            return Err(self.class_format_error(format!("Bad stack map offset {offset}")));
        }
        if offset > bci {
            return Ok(next);
        }
        if reachable {
            if let Some((bci, fault)) = self.mismatch(next, None)? {
                let message = "Instruction type does not match stack map";
                return Err(self.fail_at(bci, fault, message));
            }
        }
        let frame = self.map.frames[next];
        self.frame.replace(
            self.map.slice(frame.locals),
            self.map.slice(frame.stack),
            frame.this_uninit,
        );
        Ok(next + 1)
    }

    /// Whether an instruction starts at `bci`.
    pub(super) fn is_start(&self, bci: usize) -> bool {
        self.starts.get(bci).is_some_and(|&start| start >= INSTRUCTION_START)
    }
}
