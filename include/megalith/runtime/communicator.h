// SPDX-License-Identifier: Apache-2.0
// Ranks of a distributed run. Without a backend there is a group of one, whose calls do nothing.
#pragma once

#include <cassert>
#include <cstddef>
#include <span>

namespace megalith {

/// A group of processes that train together; a program picks its backend at run time. Each call but rank() and size() is
/// made by all ranks, send() and receive() by their two.
class Communicator {
 public:
  virtual ~Communicator() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;
  /// Replaces `values` by their sum over all ranks, with the same bits on each rank.
  virtual void all_reduce_sum(std::span<float> values) = 0;
  virtual void all_reduce_sum(std::span<double> values) = 0;
  virtual void broadcast(std::span<std::byte> data, int root) = 0;
  virtual void send(std::span<const std::byte> data, int to) = 0;
  virtual void receive(std::span<std::byte> data, int from) = 0;
  virtual void barrier() = 0;
};

/// The group of one.
class SerialCommunicator final : public Communicator {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  void all_reduce_sum(std::span<float>) override {}
  void all_reduce_sum(std::span<double>) override {}
  void broadcast(std::span<std::byte>, int) override {}
  void send(std::span<const std::byte>, int) override { assert(false && "a group of one has no other rank to send to"); }
  void receive(std::span<std::byte>, int) override { assert(false && "a group of one has no other rank to receive from"); }
  void barrier() override {}
};

}  // namespace megalith
