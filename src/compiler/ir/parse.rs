//! Reads the textual form of a function, as [`super::print`] writes it; numbers are kept.
//!
//! Beyond that: `//` begins a comment, the origin of an instruction (`; m0@3`) and a branch's probability may be
//! left out (then it is the first method's bytecode 0, and one half).
//!
//! What is read need not be well formed: see [`super::verify`].

mod lexer;
mod operation;

use super::function::{
    Block, BlockData, Edge, Function, InstData, MethodIx, MethodName, RefFacts, Terminator, Value, ValueData, ValueDef,
};
use super::op::{Op, Target};
use super::print;
use super::state::{FrameState, Monitor, Resume, Slot, State, VirtualIx, VirtualObject};
use super::types::Type;
use crate::meta::class::ClassRef;
use crate::meta::method::MethodRef;
use cranelift_entity::EntityRef;
use lexer::{Placed, Token};
use std::collections::{HashMap, HashSet};
use std::fmt;

/// What the names in quotes stand for.
pub trait Names {
    /// The class that [`print::class_name`] gives this name (without its quotes).
    fn class(&self, name: &str) -> Option<ClassRef>;
    /// The method that [`print::method_name`] gives this name.
    fn method(&self, name: &str) -> Option<MethodRef>;
}

/// Why a text is no function.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Counted from 1.
    pub line: usize,
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

/// Reads a function.
///
/// # Errors
/// Where and what is wrong first.
pub fn parse(text: &str, names: &dyn Names) -> Result<Function, Fault> {
    let tokens = lexer::tokens(text).map_err(|(line, message)| Fault { line, message })?;
    let mut p = Parser { tokens, at: 0, names, f: Function::new(String::new(), &[], None), seen: Seen::default() };
    p.function()?;
    p.finish()
}

/// More of a kind than anyone writes down: a wrong number must not take all memory.
const LIMIT: usize = 1 << 22;

/// What has been mentioned, and what has been defined.
#[derive(Default)]
struct Seen {
    /// With the line of the first mention.
    values: HashMap<Value, usize>,
    blocks: HashMap<Block, usize>,
    defined_values: HashSet<Value>,
    defined_blocks: HashSet<Block>,
    defined_states: HashSet<State>,
}

struct Parser<'a> {
    tokens: Vec<Placed<'a>>,
    at: usize,
    names: &'a dyn Names,
    f: Function,
    seen: Seen,
}

impl<'a> Parser<'a> {
    // ---------------------------------------------------------------- tokens

    fn line(&self) -> usize {
        let at = self.at.saturating_sub(1);
        self.tokens.get(at).or(self.tokens.last()).map_or(1, |t| t.0)
    }

    fn fault(&self, message: String) -> Fault {
        Fault { line: self.line(), message }
    }

    fn peek(&self) -> Option<&Token<'a>> {
        self.tokens.get(self.at).map(|t| &t.1)
    }

    fn next(&mut self, want: &str) -> Result<Token<'a>, Fault> {
        let Some((_, t)) = self.tokens.get(self.at) else {
            return Err(self.fault(format!("{want} is expected, not the end")));
        };
        self.at += 1;
        Ok(t.clone())
    }

    fn word(&mut self, want: &str) -> Result<&'a str, Fault> {
        match self.next(want)? {
            Token::Word(w) => Ok(w),
            t => Err(self.fault(format!("{want} is expected, not {t:?}"))),
        }
    }

    fn text(&mut self, want: &str) -> Result<String, Fault> {
        match self.next(want)? {
            Token::Text(s) => Ok(s),
            t => Err(self.fault(format!("{want} is expected, not {t:?}"))),
        }
    }

    fn is_sign(&self, c: char) -> bool {
        self.peek() == Some(&Token::Sign(c))
    }

    fn take_sign(&mut self, c: char) -> bool {
        let is = self.is_sign(c);
        self.at += usize::from(is);
        is
    }

    fn sign(&mut self, c: char) -> Result<(), Fault> {
        match self.next("a sign")? {
            Token::Sign(s) if s == c => Ok(()),
            t => Err(self.fault(format!("{c:?} is expected, not {t:?}"))),
        }
    }

    fn take_word(&mut self, w: &str) -> bool {
        let is = self.peek() == Some(&Token::Word(w));
        self.at += usize::from(is);
        is
    }

    fn keyword(&mut self, w: &str) -> Result<(), Fault> {
        match self.take_word(w) {
            true => Ok(()),
            false => Err(self.fault(format!("{w} is expected, not {:?}", self.peek()))),
        }
    }

    /// A number, decimal or hexadecimal.
    fn number<T: TryFrom<i128>>(&mut self) -> Result<T, Fault> {
        let word = self.word("a number")?;
        let n = match word.strip_prefix("0x") {
            Some(hex) => i128::from_str_radix(hex, 16).ok(),
            None => word.parse().ok(),
        };
        n.and_then(|n| T::try_from(n).ok()).ok_or_else(|| self.fault(format!("{word} is no number that fits here")))
    }

    /// The number behind `letter` in a word like `v12`.
    fn numbered(&mut self, letter: char, want: &str) -> Result<usize, Fault> {
        let word = self.word(want)?;
        match word.strip_prefix(letter).and_then(|n| n.parse().ok()) {
            Some(n) if n < LIMIT => Ok(n),
            _ => Err(self.fault(format!("{want} is expected, not {word}"))),
        }
    }

    /// A list in parentheses.
    fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Result<T, Fault>) -> Result<Vec<T>, Fault> {
        self.sign('(')?;
        let mut out = Vec::new();
        if self.take_sign(')') {
            return Ok(out);
        }
        loop {
            out.push(item(self)?);
            if !self.take_sign(',') {
                self.sign(')')?;
                return Ok(out);
            }
        }
    }

    // ---------------------------------------------------------------- names

    fn class(&mut self) -> Result<ClassRef, Fault> {
        let name = self.text("a class")?;
        self.names.class(&name).ok_or_else(|| self.fault(format!("no class is {name}")))
    }

    fn method(&mut self) -> Result<MethodRef, Fault> {
        let name = self.text("a method")?;
        self.names.method(&name).ok_or_else(|| self.fault(format!("no method is {name}")))
    }

    fn value(&mut self) -> Result<Value, Fault> {
        let n = self.numbered('v', "a value")?;
        // Numbers that nothing has are those of instructions that were removed.
        while self.f.values.len() <= n {
            let op = Op::Const(0);
            let gone = self.f.insts.push(InstData { op, args: vec![], result: None, state: None, origin: origin(0, 0) });
            let v = self.f.values.push(ValueData {
                ty: Type::I32,
                def: ValueDef::Result(gone),
                facts: RefFacts::default(),
                boxed: None,
            });
            self.f.insts[gone].result = Some(v);
        }
        let line = self.line();
        self.seen.values.entry(Value::new(n)).or_insert(line);
        Ok(Value::new(n))
    }

    fn block(&mut self) -> Result<Block, Fault> {
        let n = self.numbered('b', "a block")?;
        while self.f.blocks.len() <= n {
            let term = Terminator::Unreachable;
            self.f.blocks.push(BlockData { params: vec![], insts: vec![], term, frequency: 1.0 });
        }
        let line = self.line();
        self.seen.blocks.entry(Block::new(n)).or_insert(line);
        Ok(Block::new(n))
    }

    fn method_ix(&mut self) -> Result<MethodIx, Fault> {
        let n = self.numbered('m', "a method's number")?;
        if n >= self.f.methods.len() {
            return Err(self.fault(format!("m{n} is not defined")));
        }
        Ok(MethodIx::new(n))
    }

    // ---------------------------------------------------------------- function

    fn function(&mut self) -> Result<(), Fault> {
        self.keyword("function")?;
        self.f.name = self.text("the function's name")?;
        if self.take_sign('(') {
            self.keyword("osr")?;
            self.f.osr_bci = Some(self.number()?);
            self.sign(')')?;
        }
        if self.peek() == Some(&Token::Arrow) {
            self.at += 1;
            self.f.return_type = Some(self.ty()?);
        }
        self.sign('{')?;
        while matches!(self.peek(), Some(Token::Word(w)) if w.starts_with('m')) {
            let n = self.numbered('m', "a method's number")?;
            if n != self.f.methods.len() {
                return Err(self.fault(format!("m{} is expected", self.f.methods.len())));
            }
            self.sign('=')?;
            let name = self.text("the method's name")?;
            let method = self.names.method(&name);
            self.f.methods.push(MethodName { method, name });
        }
        let mut first = None;
        while !self.take_sign('}') {
            let b = self.block_of_code()?;
            first.get_or_insert(b);
        }
        if self.at != self.tokens.len() {
            self.at += 1;
            return Err(self.fault("the function has ended".into()));
        }
        self.f.entry = first.ok_or_else(|| self.fault("no block".into()))?;
        Ok(())
    }

    /// Checks that what is mentioned is there.
    fn finish(self) -> Result<Function, Fault> {
        let values = self.seen.values.iter().filter(|(v, _)| !self.seen.defined_values.contains(v));
        let blocks = self.seen.blocks.iter().filter(|(b, _)| !self.seen.defined_blocks.contains(b));
        let missing = values
            .map(|(v, &line)| (line, v.to_string()))
            .chain(blocks.map(|(b, &line)| (line, b.to_string())))
            .min();
        match missing {
            Some((line, what)) => Err(Fault { line, message: format!("{what} is not defined") }),
            None => Ok(self.f),
        }
    }

    fn block_of_code(&mut self) -> Result<Block, Fault> {
        let b = self.block()?;
        if !self.seen.defined_blocks.insert(b) {
            return Err(self.fault(format!("{b} is defined twice")));
        }
        let mut n = 0;
        let params = self.list(|p| {
            let v = p.definition(|_| ValueDef::Param(b, n))?;
            n += 1;
            Ok(v)
        })?;
        self.f.blocks[b].params = params;
        if self.take_sign(',') {
            self.keyword("frequency")?;
            let word = self.word("a frequency")?;
            self.f.blocks[b].frequency =
                word.parse().map_err(|_| self.fault(format!("{word} is no frequency")))?;
        }
        self.sign(':')?;
        loop {
            if let Some(term) = self.terminator()? {
                self.f.blocks[b].term = term;
                return Ok(b);
            }
            self.inst(b)?;
        }
    }

    /// `v1: ref<"A" exact non_null>`.
    fn definition(&mut self, def: impl FnOnce(&mut Self) -> ValueDef) -> Result<Value, Fault> {
        let v = self.value()?;
        if !self.seen.defined_values.insert(v) {
            return Err(self.fault(format!("{v} is defined twice")));
        }
        self.sign(':')?;
        let ty = self.ty()?;
        let (mut facts, mut boxed) = (RefFacts::default(), None);
        if self.take_sign('<') {
            while !self.take_sign('>') {
                if matches!(self.peek(), Some(Token::Text(_))) {
                    facts.class = Some(self.class()?);
                } else if self.take_word("exact") {
                    facts.exact = true;
                } else if self.take_word("boxed") {
                    boxed = Some(self.value()?);
                } else {
                    self.keyword("non_null")?;
                    facts.non_null = true;
                }
            }
        }
        let def = def(self);
        self.f.values[v] = ValueData { ty, def, facts, boxed };
        Ok(v)
    }

    fn inst(&mut self, b: Block) -> Result<(), Fault> {
        let inst = self.f.insts.push(InstData {
            op: Op::Null,
            args: vec![],
            result: None,
            state: None,
            origin: origin(0, 0),
        });
        let has_result = matches!(self.tokens.get(self.at + 1), Some((_, Token::Sign(':'))));
        if has_result {
            let v = self.definition(|_| ValueDef::Result(inst))?;
            self.f.insts[inst].result = Some(v);
            self.sign('=')?;
        }
        self.f.insts[inst].op = self.operation()?;
        if matches!(self.peek(), Some(Token::Word(w)) if is_value(w)) && !self.is_definition() {
            loop {
                let v = self.value()?;
                self.f.insts[inst].args.push(v);
                if !self.take_sign(',') {
                    break;
                }
            }
        }
        if self.is_sign('[') {
            self.f.insts[inst].state = Some(self.state()?);
        }
        if self.take_sign(';') {
            let m = self.method_ix()?;
            self.sign('@')?;
            self.f.insts[inst].origin = (m, self.number()?);
        }
        self.f.blocks[b].insts.push(inst);
        Ok(())
    }

    /// A line that defines a value begins here.
    fn is_definition(&self) -> bool {
        matches!(self.tokens.get(self.at + 1), Some((_, Token::Sign(':'))))
    }

    fn edge(&mut self) -> Result<Edge, Fault> {
        let block = self.block()?;
        Ok(Edge { block, args: self.list(Self::value)? })
    }

    fn terminator(&mut self) -> Result<Option<Terminator>, Fault> {
        let begin = self.at;
        let word = self.word("an instruction")?;
        Ok(Some(match word {
            "none" => Terminator::None,
            "jump" => Terminator::Jump(self.edge()?),
            "branch" => {
                let cond = self.value()?;
                self.sign(',')?;
                let then = self.edge()?;
                self.sign(',')?;
                let other = self.edge()?;
                let probability = if self.take_sign(',') { self.number()? } else { 1 << 15 };
                Terminator::Branch { cond, then, other, probability }
            }
            "switch" => {
                let key = self.value()?;
                let mut cases = Vec::new();
                loop {
                    self.sign(',')?;
                    if self.take_word("default") {
                        self.sign(':')?;
                        break Terminator::Switch { key, cases, default: self.edge()? };
                    }
                    let k = self.number()?;
                    self.sign(':')?;
                    cases.push((k, self.edge()?));
                }
            }
            "return" => match self.peek() {
                Some(Token::Word(w)) if is_value(w) => Terminator::Return(Some(self.value()?)),
                _ => Terminator::Return(None),
            },
            "throw" => Terminator::Throw(self.value()?),
            "deopt" => {
                Terminator::Deopt { reason: self.reason()?, action: self.action()?, state: self.state()? }
            }
            "try" => {
                let normal = self.edge()?;
                self.sign(',')?;
                Terminator::Try(normal, self.edge()?)
            }
            "unreachable" => Terminator::Unreachable,
            _ => {
                self.at = begin;
                return Ok(None);
            }
        }))
    }

    // ---------------------------------------------------------------- frame states

    fn state(&mut self) -> Result<State, Fault> {
        self.sign('[')?;
        let n = self.numbered('s', "a state")?;
        let s = State::new(n);
        if self.take_sign(']') {
            return match self.seen.defined_states.contains(&s) {
                true => Ok(s),
                false => Err(self.fault(format!("{s} is not defined"))),
            };
        }
        if !self.seen.defined_states.insert(s) {
            return Err(self.fault(format!("{s} is defined twice")));
        }
        while self.f.states.len() <= n {
            self.f.states.push(FrameState {
                parent: None,
                method: MethodIx::new(0),
                bci: 0,
                resume: Resume::Execute,
                locals: vec![],
                stack: vec![],
                monitors: vec![],
                virtuals: vec![],
            });
        }
        let method = self.method_ix()?;
        self.sign('@')?;
        let bci = self.number()?;
        let resume = match () {
            _ if self.take_word("after") => Resume::AfterCall,
            _ if self.take_word("entry") => Resume::MethodEntry,
            _ => Resume::Execute,
        };
        self.keyword("locals")?;
        let locals = self.list(Self::slot)?;
        self.keyword("stack")?;
        let stack = self.list(Self::slot)?;
        let monitors = match self.take_word("monitors") {
            true => self.list(|p| Ok(Monitor { object: p.slot()?, elided: p.take_word("elided") }))?,
            false => vec![],
        };
        let mut virtuals = Vec::new();
        while matches!(self.peek(), Some(Token::Word(w)) if w.starts_with('o')) {
            if self.numbered('o', "an object")? != virtuals.len() {
                return Err(self.fault(format!("o{} is expected", virtuals.len())));
            }
            virtuals.push(self.virtual_object()?);
        }
        let parent = if self.take_word("parent") { Some(self.state()?) } else { None };
        self.sign(']')?;
        self.f.states[s] = FrameState { parent, method, bci, resume, locals, stack, monitors, virtuals };
        Ok(s)
    }

    fn virtual_object(&mut self) -> Result<VirtualObject, Fault> {
        self.sign('=')?;
        let boxed = self.take_word("boxed");
        let class = self.class()?;
        self.keyword("length")?;
        let length = self.number()?;
        self.keyword("locks")?;
        let locks = self.number()?;
        let fields = self.list(|p| {
            let mem = p.mem()?;
            let offset = p.number()?;
            p.sign(':')?;
            Ok((offset, mem, p.slot()?))
        })?;
        Ok(VirtualObject { class, fields, length, locks, boxed })
    }

    fn slot(&mut self) -> Result<Slot, Fault> {
        match self.peek() {
            Some(Token::Word("_")) => {
                self.at += 1;
                Ok(Slot::Dead)
            }
            Some(Token::Word(w)) if w.starts_with('o') => {
                let n = self.numbered('o', "an object")?;
                Ok(Slot::Virtual(VirtualIx::new(n)))
            }
            _ => Ok(Slot::Value(self.value()?)),
        }
    }
}

fn origin(method: usize, bci: u16) -> (MethodIx, u16) {
    (MethodIx::new(method), bci)
}

fn is_value(word: &str) -> bool {
    word.strip_prefix('v').is_some_and(|n| n.starts_with(|c: char| c.is_ascii_digit()))
}

/// The classes and methods of a function by name, for reading it back.
#[derive(Default)]
pub struct NamesOf {
    /// `None`: several have this name (those of different loaders).
    classes: HashMap<String, Option<ClassRef>>,
    methods: HashMap<String, Option<MethodRef>>,
}

impl NamesOf {
    pub fn new(f: &Function) -> NamesOf {
        let mut n = NamesOf::default();
        for m in f.methods.values() {
            if let Some(method) = m.method {
                n.add_method(m.name.clone(), method);
            }
        }
        for v in f.values.values() {
            v.facts.class.into_iter().for_each(|c| n.add_class(c));
        }
        for o in f.states.values().flat_map(|s| &s.virtuals) {
            n.add_class(o.class);
        }
        for i in f.insts.values() {
            match i.op {
                Op::Mirror(c)
                | Op::CheckCast(c)
                | Op::ExactClass(c, ..)
                | Op::InstanceOf(c)
                | Op::NewInstance(c)
                | Op::NewArray(c) => n.add_class(c),
                Op::Call(Target::Direct(m) | Target::Virtual(m) | Target::Interface(m) | Target::MethodHandle(m))
                | Op::CountAndNotify { method: m, .. } => n.add_method(print::method_text(m), m),
                _ => {}
            }
        }
        n
    }

    fn add_class(&mut self, c: ClassRef) {
        let known = self.classes.entry(c.name.to_text().to_string()).or_insert(Some(c));
        if known.is_some_and(|k| k != c) {
            *known = None;
        }
    }

    fn add_method(&mut self, name: String, m: MethodRef) {
        let known = self.methods.entry(name).or_insert(Some(m));
        if known.is_some_and(|k| !std::ptr::eq(k, m)) {
            *known = None;
        }
    }

    /// Whether two classes or methods have the same name.
    pub fn ambiguous(&self) -> bool {
        self.classes.values().any(Option::is_none) || self.methods.values().any(Option::is_none)
    }
}

impl Names for NamesOf {
    fn class(&self, name: &str) -> Option<ClassRef> {
        self.classes.get(name).copied().flatten()
    }

    fn method(&self, name: &str) -> Option<MethodRef> {
        self.methods.get(name).copied().flatten()
    }
}

/// Writes `f` down and reads it back: it must be the same. Functions whose names are ambiguous are not tried.
///
/// # Panics
/// If it is not, or does not parse.
pub fn assert_round_trip(f: &Function, when: &str) {
    let names = NamesOf::new(f);
    if names.ambiguous() {
        return;
    }
    let text = f.to_string();
    match parse(&text, &names) {
        Ok(back) => {
            let again = back.to_string();
            let line = text.lines().zip(again.lines()).position(|(a, b)| a != b);
            assert!(text == again, "IR {when} is read back otherwise, first in line {line:?}:\n{text}\n{again}");
        }
        Err(e) => panic!("IR {when} cannot be read back: {e}\n{text}"),
    }
}
