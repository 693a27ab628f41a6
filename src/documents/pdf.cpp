// Papers as PDF: Pango sets the type, for every script and in both directions, and Cairo writes the
// file with the glyphs that are used and the text that they stand for. Pango keeps fonts for each
// thread, so that threads share nothing.
#include <cairo-pdf.h>
#include <pango/pangocairo.h>

#include <algorithm>
#include <memory>

#include "bottega/core/error.hpp"
#include "bottega/core/text.hpp"
#include "bottega/documents/paper.hpp"

namespace bottega::documents {
namespace {

// All in points; there is no printer that reaches the edges.
constexpr double kMargin = 51, kGap = 10, kPadding = 3;
constexpr double kNormal = 9.5, kSmall = 8, kLarge = 17;
constexpr double kFootRoom = 24;
constexpr double kSumShare = 0.72;  // of the width, for the names of the sums
// What is longer than any text that is taken in ends in an ellipsis.
constexpr int kLinesMax = 20;

struct Release {
  void operator()(cairo_surface_t* one) const { cairo_surface_destroy(one); }
  void operator()(cairo_t* one) const { cairo_destroy(one); }
  void operator()(cairo_font_options_t* one) const { cairo_font_options_destroy(one); }
  void operator()(PangoFontDescription* one) const { pango_font_description_free(one); }
  void operator()(PangoContext* one) const { g_object_unref(one); }
  void operator()(PangoLayout* one) const { g_object_unref(one); }
};
template <class T>
using Owned = std::unique_ptr<T, Release>;
using Layout = Owned<PangoLayout>;

struct Size {
  double width, height;
};
Size size_of(Sheet sheet) {
  return sheet == Sheet::letter ? Size{612, 792} : Size{595.276, 841.89};
}

struct Look {
  double size = kNormal;
  Weight weight{};
  Align align{};
};

// Makes layouts: texts that are broken into lines of a width.
class Typesetter {
 public:
  Typesetter() : context_(pango_font_map_create_context(pango_cairo_font_map_get_default())) {
    // As outlines, at any size: nothing is moved to the pixels of a screen.
    const Owned<cairo_font_options_t> options(cairo_font_options_create());
    cairo_font_options_set_hint_style(options.get(), CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options.get(), CAIRO_HINT_METRICS_OFF);
    pango_cairo_context_set_font_options(context_.get(), options.get());
    pango_context_set_round_glyph_positions(context_.get(), FALSE);
    // Whatever the language of the machine is.
    pango_context_set_language(context_.get(), pango_language_from_string("en"));
  }

  Layout set(const std::string& text, double width, const Look& look) const {
    const Owned<PangoFontDescription> font(pango_font_description_new());
    pango_font_description_set_family(font.get(), "DejaVu Sans");
    pango_font_description_set_absolute_size(font.get(), look.size * PANGO_SCALE);
    pango_font_description_set_weight(
        font.get(), look.weight == Weight::strong ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
    Layout layout(pango_layout_new(context_.get()));
    pango_layout_set_font_description(layout.get(), font.get());
    pango_layout_set_width(layout.get(), static_cast<int>(width * PANGO_SCALE));
    pango_layout_set_wrap(layout.get(), PANGO_WRAP_WORD_CHAR);
    pango_layout_set_ellipsize(layout.get(), PANGO_ELLIPSIZE_END);
    pango_layout_set_height(layout.get(), -kLinesMax);
    pango_layout_set_single_paragraph_mode(layout.get(), TRUE);
    if (look.align == Align::right) {
      // Else a right to left text would end at the left.
      pango_layout_set_auto_dir(layout.get(), FALSE);
      pango_layout_set_alignment(layout.get(), PANGO_ALIGN_RIGHT);
    }
    pango_layout_set_text(layout.get(), text.data(), static_cast<int>(text.size()));
    return layout;
  }

 private:
  Owned<PangoContext> context_;
};

double height_of(const Layout& layout) {
  int height = 0;
  pango_layout_get_size(layout.get(), nullptr, &height);
  return static_cast<double>(height) / PANGO_SCALE;
}

struct Placed {
  Layout layout;
  double x, y;
};
struct Rule {
  double y, thickness;
};
struct Page {
  std::vector<Placed> texts;
  std::vector<Rule> rules;
};

// Texts side by side, each with where it begins.
struct Cell {
  Layout layout;
  double x;
};
using Cells = std::vector<Cell>;

double height_of(const Cells& cells) {
  double height = 0;
  for (const auto& cell : cells) height = std::max(height, height_of(cell.layout));
  return height;
}

// Puts what is to be printed on pages, from the top down.
class Flow {
 public:
  explicit Flow(const Paper& paper)
      : paper_(paper), size_(size_of(paper.sheet)), inner_(size_.width - 2 * kMargin), pages_(1) {}

  std::vector<Page> run() {
    block(paper_.title, {kLarge, Weight::strong, Align::start});
    skip(kPadding);
    for (const auto& fact : paper_.facts) facts(fact);
    if (!paper_.facts.empty()) skip(kGap);
    parties();
    table();
    for (const auto& sum : paper_.sums) sums(sum);
    skip(kGap);
    for (const auto& note : paper_.notes) note_of(note);
    foot();
    return std::move(pages_);
  }

 private:
  void block(const std::string& text, const Look& look) {
    Cells cells;
    cells.push_back({type_.set(text, inner_, look), 0});
    put(std::move(cells));
  }

  void skip(double height) { y_ += height; }

  void facts(const Fact& fact) {
    const auto names = inner_ / 4;
    Cells cells;
    cells.push_back({type_.set(fact.name, names - kGap, {kNormal, Weight::strong, {}}), 0});
    cells.push_back({type_.set(fact.value, inner_ - names, {}), names});
    put(std::move(cells));
  }

  // Side by side, two and two, line by line: what is long may go on on the next page.
  void parties() {
    const auto half = inner_ / 2;
    for (std::size_t i = 0; i < paper_.parties.size(); i += 2) {
      const auto last = std::min(i + 2, paper_.parties.size());
      std::size_t lines = 0;
      for (auto p = i; p < last; ++p) lines = std::max(lines, paper_.parties[p].lines.size() + 1);
      for (std::size_t line = 0; line < lines; ++line) {
        Cells cells;
        for (auto p = i; p < last; ++p) {
          const auto& party = paper_.parties[p];
          if (line > party.lines.size()) continue;
          const auto& text = line == 0 ? party.title : party.lines[line - 1];
          const Look look{kNormal, line == 0 ? Weight::strong : Weight::normal, {}};
          cells.push_back({type_.set(text, half - kGap, look), half * static_cast<double>(p - i)});
        }
        put(std::move(cells));
      }
      skip(kGap);
    }
  }

  Cells row_of(const std::vector<std::string>& texts, Weight weight) const {
    int shares = 0;
    for (const auto& column : paper_.columns) shares += column.share;
    Cells cells;
    double x = 0;
    for (std::size_t i = 0; i < paper_.columns.size(); ++i) {
      const auto& column = paper_.columns[i];
      const auto width = inner_ * column.share / shares;
      const bool is_last = i + 1 == paper_.columns.size();
      cells.push_back(
          {type_.set(texts.at(i), width - (is_last ? 0 : kGap), {kNormal, weight, column.align}),
           x});
      x += width;
    }
    return cells;
  }

  void head() {
    std::vector<std::string> titles;
    for (const auto& column : paper_.columns) titles.push_back(column.title);
    put(row_of(titles, Weight::strong));
    rule(1);
  }

  void table() {
    if (paper_.columns.empty()) return;
    // Never a head alone at the end of a page.
    if (!has_room(4 * kLarge)) turn_page();
    head();
    for (const auto& row : paper_.rows) {
      auto cells = row_of(row, Weight::normal);
      if (!has_room(height_of(cells) + 2 * kPadding)) {
        turn_page();
        head();
      }
      put(std::move(cells));
      rule(0.3);
    }
    skip(kPadding);
  }

  void sums(const Sum& sum) {
    const auto names = inner_ * kSumShare;
    Cells cells;
    cells.push_back({type_.set(sum.name, names - kGap, {kNormal, sum.weight, Align::right}), 0});
    cells.push_back(
        {type_.set(sum.value, inner_ - names, {kNormal, sum.weight, Align::right}), names});
    put(std::move(cells));
  }

  // Its lines one by one, so that a long one goes over pages.
  void note_of(std::string_view note) {
    while (!note.empty()) {
      const auto line = note.substr(0, note.find('\n'));
      note.remove_prefix(std::min(line.size() + 1, note.size()));
      block(std::string(line), {});
    }
    skip(kPadding);
  }

  // When it is known how many pages there are.
  void foot() {
    const auto y = size_.height - kMargin + kPadding;
    for (std::size_t i = 0; i < pages_.size(); ++i) {
      const auto number = "Page " + std::to_string(i + 1) + " of " + std::to_string(pages_.size());
      const auto names = inner_ * kSumShare;
      pages_[i].texts.push_back(
          {type_.set(paper_.footer, names - kGap, {kSmall, {}, {}}), kMargin, y});
      pages_[i].texts.push_back(
          {type_.set(number, inner_ - names, {kSmall, {}, Align::right}), kMargin + names, y});
    }
  }

  bool has_room(double height) const { return y_ + height <= size_.height - kMargin - kFootRoom; }

  void turn_page() {
    if (pages_.size() == kPagesMax)
      throw Error(Code::invalid, "that is too much for one paper",
                  {{"", "has at most " + std::to_string(kPagesMax) + " pages"}});
    pages_.emplace_back();
    y_ = kMargin;
  }

  void put(Cells cells) {
    const auto height = height_of(cells);
    if (!has_room(height) && y_ > kMargin) turn_page();
    for (auto& cell : cells)
      pages_.back().texts.push_back({std::move(cell.layout), kMargin + cell.x, y_});
    y_ += height + kPadding;
  }

  void rule(double thickness) {
    pages_.back().rules.push_back({y_ - 1, thickness});
    y_ += kPadding;
  }

  const Paper& paper_;
  Typesetter type_;
  Size size_;
  double inner_;
  double y_ = kMargin;
  std::vector<Page> pages_;
};

cairo_status_t write(void* to, const unsigned char* bytes, unsigned size) {
  try {
    static_cast<std::string*>(to)->append(reinterpret_cast<const char*>(bytes), size);
    return CAIRO_STATUS_SUCCESS;
  } catch (...) {
    return CAIRO_STATUS_WRITE_ERROR;
  }
}

void draw(cairo_t* to, const Page& page, double width) {
  for (const auto& rule : page.rules) {
    cairo_set_line_width(to, rule.thickness);
    cairo_move_to(to, kMargin, rule.y);
    cairo_line_to(to, width - kMargin, rule.y);
    cairo_stroke(to);
  }
  for (const auto& text : page.texts) {
    cairo_move_to(to, text.x, text.y);
    pango_cairo_show_layout(to, text.layout.get());
  }
  cairo_show_page(to);
}

}  // namespace

std::string pdf_of(const Paper& paper) {
  if (paper.rows.size() > kRowsMax)
    throw Error(Code::invalid, "that is too much for one paper",
                {{"", "has at most " + std::to_string(kRowsMax) + " lines"}});
  Flow flow(paper);
  const auto pages = flow.run();
  const auto [width, height] = size_of(paper.sheet);
  std::string out;
  const Owned<cairo_surface_t> surface(
      cairo_pdf_surface_create_for_stream(write, &out, width, height));
  const auto made_at = to_text(Instant(std::chrono::floor<std::chrono::seconds>(paper.made_at)));
  const auto say = [&](cairo_pdf_metadata_t what, const std::string& text) {
    cairo_pdf_surface_set_metadata(surface.get(), what, text.c_str());
  };
  say(CAIRO_PDF_METADATA_TITLE, paper.title);
  say(CAIRO_PDF_METADATA_CREATOR, "Bottega");
  say(CAIRO_PDF_METADATA_CREATE_DATE, made_at);
  {
    const Owned<cairo_t> to(cairo_create(surface.get()));
    cairo_set_source_rgb(to.get(), 0, 0, 0);
    for (const auto& page : pages) draw(to.get(), page, width);
    if (cairo_status(to.get()) != CAIRO_STATUS_SUCCESS)
      throw Error(Code::internal, "a paper cannot be printed");
  }
  cairo_surface_finish(surface.get());
  if (cairo_surface_status(surface.get()) != CAIRO_STATUS_SUCCESS)
    throw Error(Code::internal, "a paper cannot be printed");
  return out;
}

}  // namespace bottega::documents
