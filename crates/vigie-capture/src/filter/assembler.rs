//! Classic BPF instructions, and jumps to labels.

/// An instruction of classic BPF, as the kernel reads it (`struct sock_filter`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// The operation.
    pub code: u16,
    /// The number of instructions to skip if the condition is true.
    pub jt: u8,
    /// The number of instructions to skip if it is false.
    pub jf: u8,
    /// The operand.
    pub k: u32,
}

/// The operations that the filter uses; A is the accumulator, X the index.
pub(crate) mod op {
    /// A = the word, half word or byte at `k`.
    pub(crate) const LOAD_WORD: u16 = 0x20;
    pub(crate) const LOAD_HALF: u16 = 0x28;
    pub(crate) const LOAD_BYTE: u16 = 0x30;
    /// A = the word, half word or byte at X + `k`.
    pub(crate) const LOAD_WORD_AT_X: u16 = 0x40;
    pub(crate) const LOAD_HALF_AT_X: u16 = 0x48;
    pub(crate) const LOAD_BYTE_AT_X: u16 = 0x50;
    /// A = the length of the packet.
    pub(crate) const LOAD_LENGTH: u16 = 0x80;
    /// A = the memory word `k`, and the reverse, and the reverse for X.
    pub(crate) const LOAD_MEMORY: u16 = 0x60;
    pub(crate) const STORE: u16 = 0x02;
    pub(crate) const STORE_X: u16 = 0x03;
    /// X = `k`.
    pub(crate) const INDEX: u16 = 0x01;
    /// X = four times the lower half of the byte at `k`: the length of an IPv4 header.
    pub(crate) const INDEX_HEADER_LENGTH: u16 = 0xb1;
    pub(crate) const A_TO_X: u16 = 0x07;
    pub(crate) const ADD: u16 = 0x04;
    pub(crate) const ADD_X: u16 = 0x0c;
    pub(crate) const SUBTRACT: u16 = 0x14;
    pub(crate) const SUBTRACT_X: u16 = 0x1c;
    pub(crate) const AND: u16 = 0x54;
    pub(crate) const SHIFT_LEFT: u16 = 0x64;
    pub(crate) const SHIFT_RIGHT: u16 = 0x74;
    pub(crate) const JUMP: u16 = 0x05;
    /// Jumps if A = `k`, A >= `k`, or A and `k` have a bit in common.
    pub(crate) const IF_EQUAL: u16 = 0x15;
    pub(crate) const IF_AT_LEAST: u16 = 0x35;
    pub(crate) const IF_ANY_BIT: u16 = 0x45;
    /// Ends with the number of bytes to capture.
    pub(crate) const RETURN: u16 = 0x06;
    pub(crate) const RETURN_A: u16 = 0x16;
}

/// A place in the program.
#[derive(Clone, Copy, Debug)]
pub(super) struct Label(usize);

/// Where an instruction continues.
#[derive(Clone, Copy)]
enum Next {
    Following,
    At(Label),
}

/// A program whose jumps are not resolved.
#[derive(Default)]
pub(super) struct Assembler {
    code: Vec<(Instruction, Next, Next)>,
    /// The place of each label, once it is known.
    places: Vec<usize>,
}

impl Assembler {
    pub(super) fn label(&mut self) -> Label {
        self.places.push(usize::MAX);
        Label(self.places.len() - 1)
    }

    /// The label is here.
    pub(super) fn place(&mut self, label: Label) {
        self.places[label.0] = self.code.len();
    }

    pub(super) fn add(&mut self, code: u16, k: u32) {
        self.push(code, k, Next::Following, Next::Following);
    }

    /// Jumps to the label if the condition is true.
    pub(super) fn on(&mut self, condition: u16, k: u32, then: Label) {
        self.push(condition, k, Next::At(then), Next::Following);
    }

    /// Jumps to the label if the condition is false.
    pub(super) fn unless(&mut self, condition: u16, k: u32, otherwise: Label) {
        self.push(condition, k, Next::Following, Next::At(otherwise));
    }

    pub(super) fn jump(&mut self, to: Label) {
        self.push(op::JUMP, 0, Next::At(to), Next::Following);
    }

    fn push(&mut self, code: u16, k: u32, then: Next, otherwise: Next) {
        let (jt, jf) = (0, 0);
        let instruction = Instruction { code, jt, jf, k };
        self.code.push((instruction, then, otherwise));
    }

    /// Resolves the jumps. `None` if a conditional one is farther than a byte can express, or goes backwards.
    pub(super) fn finish(self) -> Option<Vec<Instruction>> {
        let distance = |from: usize, next: Next| match next {
            Next::Following => Some(0),
            Next::At(Label(label)) => self.places[label].checked_sub(from + 1),
        };
        let resolved = self
            .code
            .iter()
            .enumerate()
            .map(|(at, &(code, then, otherwise))| {
                let (then, otherwise) = (distance(at, then)?, distance(at, otherwise)?);
                if code.code == op::JUMP {
                    let k = u32::try_from(then).ok()?;
                    return Some(Instruction { k, ..code });
                }
                let (jt, jf) = (then.try_into().ok()?, otherwise.try_into().ok()?);
                Some(Instruction { jt, jf, ..code })
            });
        resolved.collect()
    }
}
