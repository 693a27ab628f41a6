#pragma once
// A state machine is a constexpr table of edges (state, event) -> state. Any other pair is refused
// with a clear error and changes nothing. A self-edge says that hearing the event again is fine.
#include <array>
#include <optional>
#include <string>

#include "bottega/core/scalar.hpp"

namespace bottega {

template <class State, class Event>
struct Edge {
  State from;
  Event on;
  State to;
};

template <class State, class Event, std::size_t N>
struct Machine {
  std::array<Edge<State, Event>, N> edges;

  constexpr std::optional<State> next(State from, Event on) const {
    for (const auto& edge : edges)
      if (edge.from == from && edge.on == on) return edge.to;
    return std::nullopt;
  }

  constexpr bool deterministic() const {
    for (std::size_t i = 0; i < N; ++i)
      for (std::size_t j = i + 1; j < N; ++j)
        if (edges[i].from == edges[j].from && edges[i].on == edges[j].on) return false;
    return true;
  }

  // The state after the event; throws Error(conflict) where the table has no such edge.
  State advance(State from, Event on) const {
    if (const auto to = next(from, on)) return *to;
    throw Error(Code::conflict, "cannot " + text_of(on) + " what is " + text_of(from));
  }
};
template <class State, class Event, std::size_t N>
Machine(std::array<Edge<State, Event>, N>) -> Machine<State, Event, N>;

}  // namespace bottega
