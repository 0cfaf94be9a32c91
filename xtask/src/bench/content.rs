//! Made-up file contents that compress like those of real images.

/// Words of the made-up vocabulary.
const VOCABULARY_SIZE: usize = 4096;

/// Different instructions of the made-up machine.
const INSTRUCTION_COUNT: usize = 256;

/// How far back a sequence of instructions is repeated from.
const REPEATED_WITHIN: usize = 16 * 1024;

/// Says how well a file compresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Texture {
    /// Prose and source code: gzip makes a third of it.
    Text,
    /// Programs and libraries: gzip makes two fifths of it.
    Program,
    /// Pictures and archives, which nothing makes smaller.
    Compressed,
}

/// Writes contents. The same calls give the same bytes.
pub(crate) struct ContentWriter {
    random: Random,
    vocabulary: Vec<String>,
}

impl ContentWriter {
    pub(crate) fn new(seed: u64) -> Self {
        const SYLLABLES: [&str; 16] = [
            "re", "con", "get", "set", "in", "ter", "val", "ue", "for", "mat", "er", "ror", "ad",
            "dress", "list", "ing",
        ];
        let mut random = Random(0x1234_5678);
        let vocabulary = (0..VOCABULARY_SIZE)
            .map(|_| {
                (0..=random.below(4))
                    .filter_map(|_| SYLLABLES.get(random.below(SYLLABLES.len())).copied())
                    .collect()
            })
            .collect();
        Self {
            random: Random(seed),
            vocabulary,
        }
    }

    /// Returns a number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.random.below(bound)
    }

    /// Chooses a texture in the proportions that make an image two and a half times smaller.
    pub(crate) fn texture(&mut self) -> Texture {
        match self.random.below(100) {
            0..56 => Texture::Text,
            56..88 => Texture::Program,
            _ => Texture::Compressed,
        }
    }

    /// Replaces `out` by a content of `size` bytes.
    pub(crate) fn write(&mut self, texture: Texture, size: usize, out: &mut Vec<u8>) {
        out.clear();
        out.reserve(size + 64);
        while out.len() < size {
            match texture {
                Texture::Text => self.sentence(out),
                Texture::Program => self.instructions(out),
                Texture::Compressed => out.extend(self.random.next().to_le_bytes()),
            }
        }
        out.truncate(size);
    }

    /// Writes a line; frequent words are as frequent as in languages.
    fn sentence(&mut self, out: &mut Vec<u8>) {
        let indent = self.random.below(4) * 2;
        out.extend(std::iter::repeat_n(b' ', indent));
        for _ in 0..=self.random.below(10) {
            let bound = self.random.below(VOCABULARY_SIZE) + 1;
            let word = self.random.low(bound);
            out.extend(self.vocabulary.get(word).map_or(&b""[..], String::as_bytes));
            out.push(*b" .,(=_:;".get(self.random.below(8)).unwrap_or(&b' '));
        }
        out.push(b'\n');
    }

    /// Writes what looks like machine code to a compressor: a few hundred different instructions,
    /// some with an operand, and sequences that have occurred before.
    fn instructions(&mut self, out: &mut Vec<u8>) {
        let bits = self.random.next();
        if bits >> 60 < 3 && out.len() > REPEATED_WITHIN {
            let begin = out.len() - 64 - self.random.below(REPEATED_WITHIN - 64);
            out.extend_from_within(begin..begin + 8 + (bits & 0x2f) as usize);
            return;
        }
        let bound = self.random.below(INSTRUCTION_COUNT) + 1;
        let mut instruction = Random(self.random.below(bound) as u64);
        let bytes = instruction.next().to_le_bytes();
        let length = 2 + (bits & 3) as usize;
        out.extend(bytes.get(..length).unwrap_or_default());
        match bits >> 16 & 7 {
            0 => out.extend([(bits >> 32) as u8, 0, 0, 0]),
            1 => out.push((bits >> 32) as u8 & 0x3f),
            _ => {}
        }
    }
}

/// A generator of numbers that look random (SplitMix64).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Begins at a place that a text stands for.
    pub(crate) fn of(text: &str) -> Self {
        // FNV-1a; the generator mixes the rest.
        Self(text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        }))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        value ^ (value >> 31)
    }

    /// Returns a number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    /// Returns a number below `bound`; small ones are frequent.
    pub(crate) fn low(&mut self, bound: usize) -> usize {
        let bound = self.below(bound) + 1;
        self.below(bound)
    }
}
