// write_random_model FILE: a GGUF file small enough to compile within seconds, with a vocabulary of texts.
#include "tests/model/random_llama.h"

#include <cstdio>
#include <fstream>

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: %s FILE\n", argv[0]);
        return 2;
    }
    const auto bytes = ingot::tests::random_llama({.shape = {.layers = 1,
                                                             .embedding = 64,
                                                             .heads = 2,
                                                             .kv_heads = 1,
                                                             .head_dim = 32,
                                                             .ffn = 96,
                                                             .vocabulary = 333,
                                                             .matrices = ingot::ir::Element::q8_0}})
                           .bytes();
    std::ofstream out(argv[1], std::ios::binary);
    out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    return out.flush() ? 0 : 1;
}
