// SPDX-License-Identifier: Apache-2.0
#include "megalith/generate/generator.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "megalith/core/check.h"
#include "megalith/models/window_scorer.h"
#include "megalith/runtime/machine_memory.h"

namespace megalith {
namespace {

std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::vector<std::size_t> numbers_up_to(std::size_t n) {
  std::vector<std::size_t> all(n);
  std::iota(all.begin(), all.end(), std::size_t{0});
  return all;
}

}  // namespace

Generator::Generator(const AnyModel& model, const SamplingConfig& config, int threads, Index streams, Index first_stream)
    : model_(&model),
      config_(config),
      workspace_(std::max(threads, 1)),
      first_stream_(first_stream),
      slide_(SlidingWindow::of_stream(model)),
      piece_(stream_piece(model)) {
  config.validate();
  check(threads >= 1, "threads is ", threads, ", and must be 1 or more");
  check(streams >= 1, "streams is ", streams, ", and must be 1 or more");
  check(first_stream >= 0, "first_stream is ", first_stream, ", and must be 0 or more");
  // Before any memory is taken: what each stream has beside its State, which make_state() asks for.
  constexpr double kOfEach = 2 * kByteValues * sizeof(float) + sizeof(windows_[0]) + sizeof(positions_[0]) + 1;
  check_memory(text("generating in ", streams, streams == 1 ? " stream" : " streams"),
               kOfEach * static_cast<double>(streams));
  windows_.resize(static_cast<std::size_t>(streams));
  next_.resize(static_cast<std::size_t>(streams));
  logits_.resize(static_cast<std::size_t>(streams * kByteValues));
  to_draw_.resize(logits_.size());
  reset();
}

Generator::Generator(const Generator& other)
    : model_(other.model_),
      config_(other.config_),
      workspace_(other.workspace_.threads()),
      hook_(other.hook_),
      first_stream_(other.first_stream_),
      slide_(other.slide_),
      piece_(other.piece_),
      positions_(other.positions_),
      windows_(other.windows_),
      recent_(other.recent_),
      logits_(other.logits_),
      to_draw_(other.to_draw_),
      next_(other.next_) {
  for (const Group& group : other.groups_)
    groups_.push_back({group.streams, group.start, group.read, group.asked, group.state->clone()});
}

Generator& Generator::operator=(const Generator& other) { return *this = Generator(other); }

void Generator::reset() {
  positions_.assign(windows_.size(), 0);
  for (auto& window : windows_) window.clear();
  if (config_.repetition_penalty != 1) recent_.assign(windows_.size(), RecentBytes(config_.repetition_window));
  groups_.clear();
  if (model_->batch_invariant()) groups_.push_back(make_group(numbers_up_to(windows_.size())));
  else
    for (const std::size_t s : numbers_up_to(windows_.size())) groups_.push_back(make_group({s}));
}

Generator::Group Generator::make_group(std::vector<std::size_t> streams) const {
  const Index count = std::ssize(streams);
  return {std::move(streams), 0, 0, false, model_->make_state(count)};
}

void Generator::prompt(std::span<const std::uint8_t> bytes) {
  for (Group& group : groups_) add_to_each(group, std::ssize(bytes), [&](std::size_t) { return bytes; });
}

void Generator::prompt(std::string_view bytes) { prompt(bytes_of(bytes)); }

void Generator::prompt_each(std::span<const std::string_view> prompts) {
  check(prompts.size() == windows_.size(), "there are ", prompts.size(), " prompts, and the generator has ", windows_.size(),
        " streams; give each its own");
  split_by_length(prompts);
  for (Group& group : groups_)
    add_to_each(group, std::ssize(prompts[group.streams[0]]), [&](std::size_t s) { return bytes_of(prompts[s]); });
}

/// Adds n bytes to each stream of a group: to stream s those of part(s).
template <class BytesOf>
void Generator::add_to_each(Group& group, Index n, const BytesOf& part) {
  group.asked = group.asked && n == 0;
  std::int64_t& position = positions_[group.streams[0]];
  if (!slide_.endless()) {
    move_window(group, slide_.start(position + n));
    for (const std::size_t s : group.streams) add(s, group.start, part(s));
    return;
  }
  // Pieces end at multiples of their length, so that no bits depend on how a prompt was cut.
  for (Index done = 0; done < n;) {
    const Index to_end = piece_ - position % piece_, some = std::min(n - done, to_end);
    for (const std::size_t s : group.streams)
      add(s, 0, part(s).subspan(static_cast<std::size_t>(done), static_cast<std::size_t>(some)));
    if (some == to_end) read_pending(group);
    done += some;
  }
}

/// Makes groups of streams whose prompts have one length. Those of new groups read their windows again; without windows they
/// take their part of the State.
void Generator::split_by_length(std::span<const std::string_view> prompts) {
  std::vector<Group> all;
  for (const Group& group : groups_) {
    const auto size = [&](std::size_t s) { return prompts[s].size(); };
    std::vector<std::size_t> left = group.streams;
    std::stable_sort(left.begin(), left.end(), [&](std::size_t a, std::size_t b) { return size(a) < size(b); });
    if (size(left.front()) == size(left.back())) {
      all.push_back({group.streams, group.start, group.read, group.asked, nullptr});
      continue;
    }
    std::vector<std::size_t> in_state = left;  // as they stand there
    std::sort(in_state.begin(), in_state.end());
    for (auto first = left.begin(); first != left.end();) {
      const auto end = std::find_if(first, left.end(), [&](std::size_t s) { return size(s) != size(*first); });
      if (slide_.endless()) {
        std::vector<Index> numbers;
        for (auto s = first; s != end; ++s)
          numbers.push_back(std::lower_bound(in_state.begin(), in_state.end(), *s) - in_state.begin());
        all.push_back({{first, end}, group.start, group.read, group.asked, model_->select(*group.state, numbers)});
      } else {
        all.push_back(make_group({first, end}));
        all.back().start = group.start;
      }
      first = end;
    }
  }
  // Nothing may fail from here on: groups that stay as they were take their States along.
  for (Group& group : all)
    if (group.state == nullptr)
      group.state = std::move(std::find_if(groups_.begin(), groups_.end(), [&](const Group& old) {
                                return old.streams == group.streams;
                              })->state);
  groups_ = std::move(all);
}

/// Adds bytes to a stream whose window starts at `start` once they are there. What comes before that is never looked at.
void Generator::add(std::size_t stream, std::int64_t start, std::span<const std::uint8_t> bytes) {
  const std::int64_t unseen = std::clamp<std::int64_t>(start - positions_[stream], 0, std::ssize(bytes));
  windows_[stream].insert(windows_[stream].end(), bytes.begin() + unseen, bytes.end());
  if (!recent_.empty()) recent_[stream].add(bytes);
  positions_[stream] += std::ssize(bytes);
}

std::uint8_t Generator::next() {
  check(windows_.size() == 1, "this generator has ", windows_.size(), " streams; call next_of_each()");
  return next_of_each()[0];
}

std::span<const std::uint8_t> Generator::next_of_each() {
  logits();
  for (std::size_t s = 0; s < next_.size(); ++s) next_[s] = draw(s);
  for (Group& group : groups_) {
    pending_.clear();
    for (const std::size_t s : group.streams) {
      pending_.push_back(next_[s]);
      if (!slide_.endless()) windows_[s].push_back(next_[s]);
      if (!recent_.empty()) recent_[s].add({&next_[s], 1});
      ++positions_[s];
    }
    model_->accept(pending_, *group.state);
    if (!slide_.endless()) ++group.read;
    group.asked = false;
  }
  return next_;
}

std::span<const float> Generator::logits() {
  for (Group& group : groups_) {
    move_window(group, slide_.start(positions_[group.streams[0]]));
    if (group.asked) continue;
    read_pending(group);
    model_->next(Context(workspace_), *group.state, to_draw_);
    auto from = to_draw_.begin();
    for (const std::size_t s : group.streams) {
      std::copy_n(from, kByteValues, logits_.begin() + static_cast<Index>(s) * kByteValues);
      from += kByteValues;
    }
    group.asked = true;
  }
  return logits_;
}

std::vector<NextByte> Generator::likeliest(Index count, Index stream) {
  check(count >= 1 && count <= kByteValues, "count is ", count, ", and must be from 1 to ", kByteValues);
  check(stream >= 0 && stream < streams(), "stream is ", stream, ", and must be from 0 to ", streams() - 1);
  const auto z = logits().subspan(static_cast<std::size_t>(stream * kByteValues), kByteValues);
  const double largest = static_cast<double>(*std::max_element(z.begin(), z.end()));
  std::vector<NextByte> all;
  double sum = 0;
  for (std::size_t v = 0; v < z.size(); ++v) {
    all.push_back({static_cast<std::uint8_t>(v), std::exp(static_cast<double>(z[v]) - largest)});
    sum += all.back().probability;
  }
  for (NextByte& next : all) next.probability /= sum;
  const auto before = [](const NextByte& a, const NextByte& b) {
    return a.probability != b.probability ? a.probability > b.probability : a.byte < b.byte;
  };
  std::partial_sort(all.begin(), all.begin() + count, all.end(), before);
  all.resize(static_cast<std::size_t>(count));
  return all;
}

std::uint8_t Generator::draw(std::size_t stream) {
  const auto logits = std::span(to_draw_).first(kByteValues);
  std::copy_n(logits_.begin() + static_cast<Index>(stream) * kByteValues, kByteValues, logits.begin());
  const Index number = first_stream_ + static_cast<Index>(stream);
  if (hook_) {
    const auto no_logit = [](float z) { return !(z < INFINITY); };
    const bool sound = std::none_of(logits.begin(), logits.end(), no_logit);  // else sample() says that the model is not
    hook_(number, logits);
    check(!sound || std::none_of(logits.begin(), logits.end(), no_logit), "the logit hook makes a logit of stream ", number,
          " infinite or no number; leave each a finite number, or -infinity to forbid its byte");
    const auto possible = [](float z) { return std::isfinite(z); };
    check(std::any_of(logits.begin(), logits.end(), possible), "the logit hook leaves no byte possible in stream ", number,
          "; leave the logit of one at least a finite number");
  }
  if (!recent_.empty()) penalise_repetition(logits, recent_[stream], config_.repetition_penalty);
  const RandomKey key = RandomKey{config_.seed}.child(static_cast<std::uint64_t>(number));
  return sample(logits, config_, key, static_cast<std::uint64_t>(positions_[stream]));
}

void Generator::move_window(Group& group, std::int64_t start) {
  if (start == group.start) return;
  for (const std::size_t s : group.streams) {
    auto& window = windows_[s];
    window.erase(window.begin(), window.begin() + std::min<std::int64_t>(start - group.start, std::ssize(window)));
    window.reserve(static_cast<std::size_t>(slide_.length));
  }
  group.start = start;
  group.read = 0;
  group.asked = false;
  group.state->reset();
}

void Generator::read_pending(Group& group) {
  const Index n = std::ssize(windows_[group.streams[0]]) - group.read, count = std::ssize(group.streams);
  if (n == 0) return;
  pending_.clear();
  for (const std::size_t s : group.streams)
    pending_.insert(pending_.end(), windows_[s].begin() + group.read, windows_[s].end());
  model_->read(Context(workspace_), {pending_.data(), count, n}, *group.state);
  group.read += n;
  if (!slide_.endless()) return;
  for (const std::size_t s : group.streams) windows_[s].clear();
  group.read = 0;
}

}  // namespace megalith
