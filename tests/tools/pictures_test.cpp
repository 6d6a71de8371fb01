// What is drawn: the progress bar and the arena over time.
#include <gtest/gtest.h>

#include "tools/driver/progress.h"
#include "tools/inspect/arena_picture.h"
#include "tools/inspect/byte_text.h"

namespace ingot::tools::test {
namespace {

TEST(ProgressLine, SaysHowLongItWillTake) {
    EXPECT_EQ(progress_line("kernels", 0, 5, 10, 4.0),
              "[###############---------------]  50%  kernels  ETA 0:04");
    // What the cache had took no time, so it says nothing of the pace.
    EXPECT_EQ(progress_line("kernels", 5, 6, 10, 30.0),
              "[##################------------]  60%  kernels  ETA 2:00");
    EXPECT_EQ(progress_line("kernels", 5, 5, 10, 1.0), "[###############---------------]  50%  kernels");
    EXPECT_EQ(progress_line("kernels", 0, 10, 10, 1.0), "[##############################] 100%  kernels");
    EXPECT_EQ(progress_line("passes", 0, 0, 0, 1.0), "passes");
}

TEST(ByteText, PicksTheUnit) {
    EXPECT_EQ(byte_text(0), "0 B");
    EXPECT_EQ(byte_text(1023), "1023 B");
    EXPECT_EQ(byte_text(1024), "1.0 KiB");
    EXPECT_EQ(byte_text(96807168), "92.3 MiB");
    EXPECT_EQ(byte_text(UINT64_MAX), "16384.0 PiB");
}

ProgramSummary program() {
    ProgramSummary p{.name = "decode",
                     .launches = std::vector<LaunchSummary>(4),
                     .layers = 0,
                     .launches_a_layer = 0,
                     .bytes_read = 0,
                     .peak = 1024,
                     .lower_bound = 1024,
                     .values = {}};
    p.values = {{.name = "x", .offset = 0, .bytes = 512, .first = 0, .last = 2},
                {.name = "y<1>", .offset = 512, .bytes = 512, .first = 1, .last = 1},
                {.name = "z", .offset = 512, .bytes = 256, .first = 2, .last = 3}};
    return p;
}

TEST(ArenaPicture, ShowsWhereAndHowLong) {
    EXPECT_EQ(text_picture(program(), 80, 4), "arena of decode: 1.0 KiB over 4 launches\n"
                                              "       768 B |.B..|\n"
                                              "       512 B |.BCC|\n"
                                              "       256 B |AAA.|\n"
                                              "         0 B |AAA.|\n"
                                              "  A x (512 B at 0)\n"
                                              "  B y<1> (512 B at 512)\n"
                                              "  C z (256 B at 512)\n");
    EXPECT_EQ(text_picture(program(), 2, 2),
              "arena of decode: 1.0 KiB over 4 launches, of which the first 2 are drawn\n"
              "       512 B |.B|\n"
              "         0 B |AA|\n"
              "  A x (512 B at 0)\n"
              "  B y<1> (512 B at 512)\n");
    const std::string svg = svg_picture(program());
    EXPECT_NE(svg.find("<title>y&lt;1&gt; (512 B)</title>"), std::string::npos);
    EXPECT_TRUE(svg.ends_with("</svg>\n"));
}

} // namespace
} // namespace ingot::tools::test
