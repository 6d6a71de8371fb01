#include "passes/memory/search.h"

#include "passes/memory/pits.h"
#include "passes/memory/search_state.h"

#include <algorithm>
#include <numeric>
#include <unordered_set>

namespace ingot::passes::memory {

namespace {

constexpr size_t most_failures = size_t{1} << 20; // kept; 16 bytes each

uint64_t mixed(uint64_t x) { // splitmix64
    x += 0x9e3779b97f4a7c15;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
}

// What is left to place and where it may lie; all that success depends on. Two of them that differ are taken
// for the same with a probability of 2^-128.
struct Fingerprint {
    uint64_t low = 0, high = 0;
    bool operator==(const Fingerprint&) const = default;
};
struct FingerprintHash {
    size_t operator()(const Fingerprint& f) const { return f.low; }
};

// A list in the pool.
struct Range {
    size_t begin = 0, end = 0;
};

// One part of the problem that is being placed: buffers that are connected in time, and the branch taken
// there.
struct Frame {
    size_t parent = 0;
    Range items{}, choices{};
    size_t next_choice = 0;
    Branch branch{};
    size_t mark = 0;            // of the trail, before the choice that is being followed
    std::vector<Range> parts{}; // into which that choice has split the items
    size_t part = 0;            // the one being placed
    Fingerprint fingerprint{};
};

constexpr size_t no_parent = SIZE_MAX;

class Search {
  public:
    Search(const SearchModel& model, uint64_t capacity, SectionFailures& failures, const SearchLimits& limits)
        : model_(model), state_(model, capacity), pits_(model.sections, failures), limits_(limits) {}

    SearchResult run() {
        pool_.resize(model_.items.size());
        std::iota(pool_.begin(), pool_.end(), uint32_t{0});
        SearchResult result{.end = root()};
        result.steps = steps_;
        if (result.end == SearchEnd::found)
            for (uint32_t i = 0; i < model_.items.size(); ++i)
                result.offsets.push_back(state_.lowest(i));
        return result;
    }

  private:
    SearchEnd root() {
        if (model_.items.empty()) return SearchEnd::found;
        if (!state_.settle(pool_) || !pits_.survey(state_, pool_)) return SearchEnd::impossible;
        open(no_parent, {.begin = 0, .end = pool_.size()});
        while (true) {
            const Followed followed = follow_next(frames_.size() - 1);
            if (followed == Followed::limit) return SearchEnd::limit;
            if (followed == Followed::none) {
                if (!fail(frames_.size() - 1)) return SearchEnd::impossible;
            } else if (descend(frames_.size() - 1))
                return SearchEnd::found;
        }
    }

    std::span<const uint32_t> list(Range range) const {
        return std::span(pool_).subspan(range.begin, range.end - range.begin);
    }

    // A frame for the items, on top of the others. False: this state has failed before.
    bool open(size_t parent, Range items) {
        Fingerprint print;
        for (const uint32_t i : list(items)) {
            const uint64_t bounds = mixed(state_.lowest(i) + mixed(state_.support(i) + mixed(i)));
            print.low += bounds;
            print.high += mixed(bounds);
        }
        if (failures_.contains(print)) return false;
        frames_.push_back({.parent = parent, .items = items, .fingerprint = print});
        branch(frames_.back());
        return true;
    }

    // Chooses the section and lists what can lie on its ground. The frame is the topmost.
    void branch(Frame& f) {
        pits_.survey(state_, list(f.items)); // of this part alone; it can't fail where the whole did not
        f.branch = pits_.choose(state_, list(f.items));
        f.mark = state_.mark();
        f.next_choice = 0;
        f.choices.begin = pool_.size();
        for (size_t k = f.items.begin; k < f.items.end; ++k) {
            const uint32_t i = pool_[k];
            const SearchItem& item = model_.items[i];
            if (item.begin <= f.branch.section && f.branch.section < item.end &&
                state_.lowest(i) == f.branch.ground && state_.support(i) == f.branch.ground)
                pool_.push_back(i);
        }
        f.choices.end = pool_.size();
    }

    enum class Followed : uint8_t { one, none, limit };

    // Makes the next choice of the topmost frame that isn't refuted at once.
    Followed follow_next(size_t frame) {
        Frame& f = frames_[frame];
        while (true) {
            pool_.resize(f.choices.end); // without the parts of the choice before
            while (f.next_choice < f.choices.end - f.choices.begin) {
                if (!take_step()) return Followed::limit;
                state_.place(pool_[f.choices.begin + f.next_choice++]);
                if (consistent(f)) return Followed::one;
                state_.undo(f.mark);
            }
            if (!f.branch.may_stay_bare) return Followed::none;
            if (!take_step()) return Followed::limit;
            for (const uint32_t i : list(f.items))
                if (model_.items[i].begin <= f.branch.section && f.branch.section < model_.items[i].end)
                    state_.raise(i, f.branch.ground + 1);
            if (!consistent(f)) return Followed::none;
            // Nothing is left to try here but what follows from the bare ground: the frame goes on with that.
            pool_.resize(f.choices.begin);
            branch(f);
        }
    }

    bool consistent(const Frame& f) {
        return state_.settle(list(f.items)) && pits_.survey(state_, list(f.items));
    }

    bool take_step() {
        if (steps_ >= limits_.steps || limits_.deadline.passed()) return false;
        ++steps_;
        return true;
    }

    // Goes into the parts that the choice has made. True: everything is placed.
    bool descend(size_t frame) {
        split(frames_[frame]);
        while (true) {
            Frame& f = frames_[frame];
            if (f.part < f.parts.size()) {
                if (!open(frame, f.parts[f.part])) drop_above(frame);
                return false;
            }
            if (f.parent == no_parent) return true;
            frame = f.parent;
            ++frames_[frame].part;
        }
    }

    // Gives up the frame's items: its parent's choice was wrong. False: it had none.
    bool fail(size_t frame) {
        const Frame& f = frames_[frame];
        if (failures_.size() < most_failures) failures_.insert(f.fingerprint);
        if (f.parent == no_parent) return false;
        drop_above(f.parent);
        return true;
    }

    // Undoes the choice of a frame, and with it all frames above: parts that it had made, placed or not.
    void drop_above(size_t frame) {
        frames_.resize(frame + 1);
        state_.undo(frames_[frame].mark);
    }

    // The unplaced items of the topmost frame, by connected parts, the smallest first.
    void split(Frame& f) {
        f.parts.clear();
        f.part = 0;
        reach_.assign(model_.sections + size_t{1}, 0);
        for (const uint32_t i : list(f.items))
            if (!state_.placed(i))
                reach_[model_.items[i].begin] = std::max(reach_[model_.items[i].begin], model_.items[i].end);
        part_of_.resize(model_.sections);
        uint32_t parts = 0, end = 0;
        for (uint32_t s = 0; s < model_.sections; ++s) {
            if (reach_[s] == 0) {
                part_of_[s] = parts - 1;
                continue;
            }
            if (s >= end) ++parts;
            end = std::max(end, reach_[s]);
            part_of_[s] = parts - 1;
        }
        for (uint32_t part = 0; part < parts; ++part) {
            const size_t begin = pool_.size();
            for (size_t k = f.items.begin; k < f.items.end; ++k)
                if (const uint32_t i = pool_[k]; !state_.placed(i) && part_of_[model_.items[i].begin] == part)
                    pool_.push_back(i);
            f.parts.push_back({.begin = begin, .end = pool_.size()});
        }
        std::stable_sort(f.parts.begin(), f.parts.end(),
                         [](const Range& a, const Range& b) { return a.end - a.begin < b.end - b.begin; });
    }

    const SearchModel& model_;
    SearchState state_;
    Pits pits_;
    SearchLimits limits_;
    uint64_t steps_ = 0;
    std::vector<Frame> frames_;
    std::vector<uint32_t> pool_; // the lists of all frames, those of the topmost at the end
    std::unordered_set<Fingerprint, FingerprintHash> failures_;
    std::vector<uint32_t> reach_, part_of_; // of split: by section
};

} // namespace

SearchResult search(const SearchModel& model, uint64_t capacity, SectionFailures& failures,
                    const SearchLimits& limits) {
    return Search(model, capacity, failures, limits).run();
}

} // namespace ingot::passes::memory
