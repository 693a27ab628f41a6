#pragma once
// What a file has had so far, in little memory whatever its size: hashes, and no more of them than
// kKeysMax and kGroupsMax. What is twice in a larger file is found by nobody, and the later counts.
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

namespace bottega::catalog {

// Open addressing with linear probing; a key is a hash that is not 0.
template <class Slot>
class HashTable {
 public:
  explicit HashTable(std::size_t most) : most_(most), slots_(1'024) {}

  // The slot of the key and whether it is new; none where it is new and there is no room.
  struct Found {
    Slot* slot = nullptr;
    bool is_new = false;
  };
  Found enter(std::uint64_t key) {
    auto* slot = &find(key);
    if (slot->key == key) return {slot, false};
    if (count_ >= most_) return {};
    if (2 * ++count_ > slots_.size()) {
      grow();
      slot = &find(key);
    }
    slot->key = key;
    return {slot, true};
  }

 private:
  Slot& find(std::uint64_t key) {
    auto at = key & (slots_.size() - 1);
    while (slots_[at].key != 0 && slots_[at].key != key) at = (at + 1) & (slots_.size() - 1);
    return slots_[at];
  }
  void grow() {
    std::vector<Slot> old(2 * slots_.size());
    old.swap(slots_);
    for (const auto& slot : old)
      if (slot.key != 0) find(slot.key) = slot;
  }

  std::size_t most_, count_ = 0;
  std::vector<Slot> slots_;
};

class FeedSeen {
 public:
  static constexpr std::size_t kKeysMax = 1'000'000, kGroupsMax = 500'000;

  // Whether there was none like it before.
  bool is_new_sku(std::string_view sku) { return is_new(hash_of(sku, 1)); }
  bool is_new_choice(std::string_view product, std::string_view options) {
    return is_new(hash_of(options, hash_of(product, 2)));
  }

  // The variants of a product that were seen before this one, and whether it has the options that
  // the first of them had.
  struct Place {
    std::uint32_t before = 0;
    bool fits = true;
  };
  Place place_in(std::string_view product, std::string_view option_names) {
    const auto [slot, is_new] = groups_.enter(hash_of(product, 3));
    if (slot == nullptr) return {};
    const auto names = static_cast<std::uint32_t>(hash_of(option_names, 4));
    if (is_new) slot->names = names;
    return {slot->count, slot->names == names};
  }
  void count_in(std::string_view product) {
    if (auto* slot = groups_.enter(hash_of(product, 3)).slot) ++slot->count;
  }

 private:
  struct Key {
    std::uint64_t key = 0;
  };
  struct Group {
    std::uint64_t key = 0;
    std::uint32_t names = 0, count = 0;
  };

  static std::uint64_t hash_of(std::string_view text, std::uint64_t salt) {
    auto hash = std::hash<std::string_view>{}(text) ^ (salt * 0x9e3779b97f4a7c15u);
    hash = (hash ^ (hash >> 32)) * 0xd6e8feb86659fd93u;
    hash ^= hash >> 32;
    return hash == 0 ? 1 : hash;
  }
  bool is_new(std::uint64_t key) {
    const auto found = keys_.enter(key);
    return found.slot == nullptr || found.is_new;
  }

  HashTable<Key> keys_{kKeysMax};
  HashTable<Group> groups_{kGroupsMax};
};

}  // namespace bottega::catalog
