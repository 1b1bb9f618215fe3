// SPDX-License-Identifier: Apache-2.0
#include "megalith/score/scorer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <numbers>

#include "megalith/core/check.h"

namespace megalith {
namespace {

constexpr std::string_view kMagic("megalith scorer 1\n\0\0\0\0\0\0", 24);
constexpr const char* kDamaged =
    "the bytes are not a saved scorer of this model and stride; save it again, or start another stream";

/// What stands behind the magic, before the bytes of the window and the State.
struct Header {
  std::int64_t length = 0, stride = 0, position = 0, window = 0, state = 0;
};

/// -log softmax(logits)[byte], in nats.
float loss_of(std::span<const float> logits, std::uint8_t byte) {
  const float largest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float z : logits) sum += std::exp(static_cast<double>(z - largest));
  return static_cast<float>(std::log(sum) - static_cast<double>(logits[byte] - largest));
}

/// Bytes of the window that is there after `position` bytes. A full window stays until the next byte comes.
std::int64_t window_size(const SlidingWindow& slide, std::int64_t position) {
  return position == 0 || slide.endless() ? 0 : position - slide.start(position - 1);
}

}  // namespace

Scorer::Scorer(const AnyModel& model, const ScorerConfig& config)
    : model_(&model),
      slide_(SlidingWindow::of_stream(model, config.stride)),
      scan_(model.record()),
      workspace_(std::max(config.threads, 1)),
      windows_(model) {
  check(config.threads >= 1, "threads is ", config.threads, ", and must be 1 or more");
  state_ = model.make_state(1);
}

Scorer::Scorer(const Scorer& other)
    : model_(other.model_),
      slide_(other.slide_),
      scan_(other.scan_),
      workspace_(other.workspace_.threads()),
      windows_(*other.model_),
      state_(other.state_->clone()),
      position_(other.position_),
      window_(other.window_),
      current_(other.current_) {}

Scorer& Scorer::operator=(const Scorer& other) { return *this = Scorer(other); }

void Scorer::reset() {
  state_->reset();
  window_.clear();
  position_ = 0;
  current_ = true;
}

std::span<const float> Scorer::feed(std::string_view bytes) {
  return feed(std::span(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()));
}

std::span<const float> Scorer::feed(std::span<const std::uint8_t> bytes) {
  if (scan_.keeps_order()) {
    feed_in_order(bytes);
    return bits_;
  }
  const std::int64_t start = position_, n = std::ssize(bytes);
  scan_.check_whole("what was fed to the scorer", start);
  scan_.check_whole("what was fed to the scorer with this call", start + n);
  const auto place = [&](std::int64_t i) { return static_cast<std::size_t>(scan_.in_file(start + i) - start); };
  ordered_.clear();
  for (std::int64_t i = 0; i < n; ++i) ordered_.push_back(bytes[place(i)]);
  feed_in_order(ordered_);
  in_file_.resize(bits_.size());
  for (std::int64_t i = 0; i < n; ++i) in_file_[place(i)] = bits_[static_cast<std::size_t>(i)];
  return in_file_;
}

/// Sets bits_ to the surprisals of bytes in the model's order.
void Scorer::feed_in_order(std::span<const std::uint8_t> bytes) {
  bits_.resize(bytes.size());
  for (std::size_t done = 0; done < bytes.size();) {
    const std::size_t n = score_windows(bytes.subspan(done), std::span(bits_).subspan(done));
    done += n > 0 ? n : score_in_window(bytes.subspan(done), std::span(bits_).subspan(done));
  }
  for (float& bits : bits_) bits = static_cast<float>(static_cast<double>(bits) / std::numbers::ln2);
}

/// From the end of a full window, scores as many whole windows at once as there are bytes for; 0 where that is less than
/// two.
std::size_t Scorer::score_windows(std::span<const std::uint8_t> bytes, std::span<float> losses) {
  const Index length = slide_.length, stride = slide_.stride;
  if (std::ssize(window_) != length || std::ssize(bytes) < 2 * stride) return 0;
  const Index count = std::min(std::ssize(bytes) / stride, windows_.at_once(length, slide_.context()));
  if (count < 2) return 0;
  const std::size_t taken = static_cast<std::size_t>(count * stride);
  window_.insert(window_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(taken));
  batch_.clear();
  for (Index i = 1; i <= count; ++i)
    batch_.insert(batch_.end(), window_.begin() + i * stride, window_.begin() + i * stride + length);
  try {
    windows_.score(Context(workspace_), {batch_.data(), count, length}, slide_.context(), losses);
  } catch (...) {
    window_.resize(static_cast<std::size_t>(length));  // these bytes were not taken
    throw;
  }
  window_.erase(window_.begin(), window_.end() - length);
  position_ += count * stride;
  current_ = false;
  return taken;
}

/// Scores bytes up to the end of a window.
std::size_t Scorer::score_in_window(std::span<const std::uint8_t> bytes, std::span<float> losses) {
  if (std::ssize(window_) == slide_.length) {
    window_.erase(window_.begin(), window_.begin() + slide_.stride);
    current_ = false;
  }
  if (!current_) read_window();
  const Context ctx(workspace_);
  const Index unit = model_->unit(), piece = stream_piece(*model_);  // which bounds the memory of a call
  const Index n = std::min(std::ssize(bytes), slide_.length - std::ssize(window_));
  current_ = false;  // until all of them are read
  for (Index i = 0, taken; i < n; i += taken) {
    const std::uint8_t* const next = bytes.data() + i;
    const bool whole = state_->position() % unit == 0 && n - i >= unit;
    if (whole) {
      taken = std::min(n - i, piece) / unit * unit;
      model_->score(ctx, {next, 1, taken}, losses.subspan(static_cast<std::size_t>(i)), state_.get());
    } else {  // inside a patch
      taken = 1;
      std::array<float, kByteValues> logits;
      model_->next(ctx, *state_, logits);
      losses[static_cast<std::size_t>(i)] = loss_of(logits, *next);
      model_->accept({next, 1}, *state_);
    }
    if (!slide_.endless()) window_.insert(window_.end(), next, next + taken);
    position_ += taken;
  }
  current_ = true;
  return static_cast<std::size_t>(n);
}

void Scorer::read_window() {
  check(!slide_.endless(), "the stream broke off at an error after ", position_,
        " bytes, and the model has no window to read again; call reset()");
  state_->reset();
  model_->read(Context(workspace_), {window_.data(), 1, std::ssize(window_)}, *state_);
  current_ = true;
}

std::vector<std::byte> Scorer::save() const {
  check(current_ || !slide_.endless(), "the stream broke off at an error after ", position_,
        " bytes, and nothing of it can be saved; call reset()");
  const std::vector<std::byte> state = current_ ? state_->save() : std::vector<std::byte>();
  const Header header{slide_.length, slide_.stride, position_, std::ssize(window_), std::ssize(state)};
  std::vector<std::byte> out(kMagic.size() + sizeof header + window_.size());
  std::memcpy(out.data(), kMagic.data(), kMagic.size());
  std::memcpy(out.data() + kMagic.size(), &header, sizeof header);
  std::copy(window_.begin(), window_.end(), reinterpret_cast<std::uint8_t*>(out.data()) + kMagic.size() + sizeof header);
  out.insert(out.end(), state.begin(), state.end());
  return out;
}

void Scorer::load(std::span<const std::byte> saved) {
  Header header;
  check(saved.size() >= kMagic.size() + sizeof header && std::memcmp(saved.data(), kMagic.data(), kMagic.size()) == 0,
        kDamaged);
  saved = saved.subspan(kMagic.size());
  std::memcpy(&header, saved.data(), sizeof header);
  saved = saved.subspan(sizeof header);
  const auto left = static_cast<std::int64_t>(saved.size());
  check(header.length == slide_.length && header.stride == slide_.stride && header.position >= 0 &&
            header.window == window_size(slide_, header.position) && header.window <= left &&
            header.state == left - header.window && (header.state > 0 || !slide_.endless()),
        kDamaged);
  const std::span<const std::byte> window = saved.first(static_cast<std::size_t>(header.window));
  std::unique_ptr<AnyState> state = state_->clone();
  if (header.state > 0) {
    state->load(saved.subspan(window.size()));
    check(state->position() == (slide_.endless() ? header.position : header.window), kDamaged);
  }
  const auto* const begin = reinterpret_cast<const std::uint8_t*>(window.data());
  window_.assign(begin, begin + window.size());
  state_ = std::move(state);
  position_ = header.position;
  current_ = header.state > 0;
}

}  // namespace megalith
