"""Models of the llama family with random weights, as GGUF files, by Python's standard library alone."""
import math
import random
import struct

# A shape is: embedding, layers, heads, KV heads, FFN, vocabulary, RoPE base, is the head the embedding.

# Formats: GGUF's number of the type, weights and bytes of a block, root mean square of a code, the offset of codes
# (None: the block has no minimum).
FORMATS = {
    "F16": (1, 1, 2, 0, None),
    "BF16": (30, 1, 2, 0, None),
    "Q4_0": (2, 32, 18, 4.6, None),
    "Q4_1": (3, 32, 20, 4.6, 7.5),
    "Q5_0": (6, 32, 22, 9.2, None),
    "Q5_1": (7, 32, 24, 9.2, 15.5),
    "Q8_0": (8, 32, 34, 74.0, None),
}
SLAB_BLOCKS = 1 << 17  # random blocks that a large tensor repeats: its speed does not depend on its values


def floats(rng, count, is_bf16, deviation):
    """`count` numbers of 16 bits: random sign and mantissa, and the exponent that fits the deviation."""
    exponent = math.floor(math.log2(deviation))
    low, high = bytearray(rng.randbytes(count)), rng.randbytes(count)
    if is_bf16:
        biased = exponent + 127
        low = low.translate(bytes(b & 0x7F | (biased & 1) << 7 for b in range(256)))
        high = high.translate(bytes(b & 0x80 | biased >> 1 for b in range(256)))
    else:
        high = high.translate(bytes(b & 0x83 | (exponent + 15) << 2 for b in range(256)))
    out = bytearray(2 * count)
    out[0::2], out[1::2] = low, high
    return bytes(out)


def blocks(rng, count, name, deviation):
    """`count` blocks of random codes, whose scale gives the weights the deviation."""
    _, _, size, rms, offset = FORMATS[name]
    if rms == 0:
        return floats(rng, count, name == "BF16", deviation)
    out = bytearray(rng.randbytes(count * size))
    scale = deviation / rms
    numbers = [scale] if offset is None else [scale, -offset * scale]
    for at, byte in enumerate(b"".join(struct.pack("<e", v) for v in numbers)):
        out[at::size] = bytes([byte]) * count
    return bytes(out)


class Gguf:
    def __init__(self):
        self.metadata, self.tensors = [], []

    @staticmethod
    def string(text):
        data = text.encode()
        return struct.pack("<Q", len(data)) + data

    def put(self, key, kind, value):
        self.metadata.append(self.string(key) + struct.pack("<I", kind) + value)

    def number(self, key, value):
        is_float = isinstance(value, float)
        self.put(key, 6 if is_float else 4, struct.pack("<f" if is_float else "<I", value))

    def text(self, key, value):
        self.put(key, 8, self.string(value))

    def array(self, key, kind, items):
        self.put(key, 9, struct.pack("<IQ", kind, len(items)) + b"".join(items))

    def tensor(self, name, dims, kind, size, slab):
        self.tensors.append((name, dims, kind, size, slab))

    def write(self, path):
        def aligned(n):
            return (n + 31) // 32 * 32

        with open(path, "wb") as out:
            out.write(struct.pack("<4sIQQ", b"GGUF", 3, len(self.tensors), len(self.metadata)))
            out.write(b"".join(self.metadata))
            offset = 0
            for name, dims, kind, size, _ in self.tensors:
                out.write(self.string(name) + struct.pack(f"<I{len(dims)}QIQ", len(dims), *dims, kind, offset))
                offset += aligned(size)
            out.write(bytes(aligned(out.tell()) - out.tell()))
            for _, _, _, size, slab in self.tensors:
                data = slab()
                for _ in range(size // len(data)):
                    out.write(data)
                out.write(data[: size % len(data)] + bytes(aligned(size) - size))


def matrices_of(shape):
    """Names and sizes [rows, columns] of the matrices."""
    width, layers, heads, kv_heads, ffn, vocabulary, _, tied = shape
    head = width // heads
    yield "token_embd.weight", vocabulary, width
    for i in range(layers):
        for name, rows, columns in (("attn_q", width, width), ("attn_k", head * kv_heads, width),
                                    ("attn_v", head * kv_heads, width), ("attn_output", width, width),
                                    ("ffn_gate", ffn, width), ("ffn_up", ffn, width), ("ffn_down", width, ffn)):
            yield f"blk.{i}.{name}.weight", rows, columns
    if not tied:
        yield "output.weight", vocabulary, width


def bytes_of(shape, weights):
    _, count, size, _, _ = FORMATS[weights]
    return sum(rows * columns // count * size for _, rows, columns in matrices_of(shape))


def cache_bytes(shape, context):
    """Of keys and values in f16, for the eight sequences that a plan takes."""
    width, layers, heads, kv_heads = shape[:4]
    return 8 * context * layers * 2 * (width // heads * kv_heads) * 2


def write_model(path, name, shape, weights):
    width, layers, heads, kv_heads, ffn, vocabulary, base, _ = shape
    rng = random.Random(f"{name} {weights}")
    g = Gguf()
    g.text("general.architecture", "llama")
    g.text("general.name", f"random-{name}-{weights}")
    for key, value in (("context_length", 8192), ("embedding_length", width), ("block_count", layers),
                       ("feed_forward_length", ffn), ("vocab_size", vocabulary), ("attention.head_count", heads),
                       ("attention.head_count_kv", kv_heads), ("rope.dimension_count", width // heads),
                       ("attention.layer_norm_rms_epsilon", 1e-5), ("rope.freq_base", float(base))):
        g.number(f"llama.{key}", value)
    tokens = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)]
    kinds = [2, 3, 3] + [6] * 256
    tokens += [f"\u2581w{i}" for i in range(len(tokens), vocabulary)]
    kinds += [1] * (vocabulary - len(kinds))
    g.text("tokenizer.ggml.model", "llama")
    g.array("tokenizer.ggml.tokens", 8, [g.string(t) for t in tokens])
    g.array("tokenizer.ggml.scores", 6, [struct.pack("<f", 0)] * vocabulary)
    g.array("tokenizer.ggml.token_type", 5, [struct.pack("<i", k) for k in kinds])
    for key, value in (("bos", 1), ("eos", 2), ("unknown", 0)):
        g.number(f"tokenizer.ggml.{key}_token_id", value)
    kind, count, size, _, _ = FORMATS[weights]
    for tensor, rows, columns in matrices_of(shape):
        in_all = rows * columns // count

        def slab(n=min(in_all, SLAB_BLOCKS * 32 // count), deviation=1 / math.sqrt(columns)):
            return blocks(rng, n, weights, deviation)

        g.tensor(tensor, (columns, rows), kind, in_all * size, slab)
    norms = [f"blk.{i}.{n}_norm.weight" for i in range(layers) for n in ("attn", "ffn")] + ["output_norm.weight"]
    for norm in norms:
        g.tensor(norm, (width,), 0, 4 * width,
                 lambda: struct.pack(f"<{width}f", *(rng.uniform(0.5, 1.5) for _ in range(width))))
    g.write(path)
