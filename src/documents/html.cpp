// Papers as pages: every text is escaped, and each finds its own direction.
#include "bottega/core/text.hpp"
#include "bottega/documents/paper.hpp"

namespace bottega::documents {
namespace {

constexpr std::string_view kStyle =
    "body{font:11pt/1.4 system-ui,sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;width:100%;margin:1rem 0}"
    "th,td{text-align:start;vertical-align:top;padding:.2rem .5rem;border-bottom:1px solid #ccc}"
    ".n{text-align:right;font-variant-numeric:tabular-nums}"
    "tfoot td{border:0}.s{font-weight:bold}tfoot{display:table-row-group}"
    "thead{display:table-header-group}tr{break-inside:avoid}"
    "dl{display:grid;grid-template-columns:max-content auto;gap:.1rem 1rem}dd{margin:0}"
    ".p{display:flex;gap:3rem;flex-wrap:wrap}h2{font-size:1em;margin:0}.p p{margin:0}"
    "footer{color:#555;font-size:.85em;margin-top:2rem}"
    "@media print{body{margin:0;padding:0;max-width:none}@page{margin:18mm}}";

// A tag with a text in it, in the direction of the text.
std::string element(const std::string& tag, const std::string& text) {
  return '<' + tag + " dir=\"auto\">" + escape_html(text) + "</" + tag + '>';
}

std::string cell(const std::string& tag, const std::string& text, Align align) {
  // Numbers stay at the right, whatever is in them.
  if (align == Align::right)
    return '<' + tag + " class=\"n\">" + escape_html(text) + "</" + tag + '>';
  return element(tag, text);
}

std::string facts_of(const Paper& paper) {
  if (paper.facts.empty()) return {};
  std::string out = "<dl>";
  for (const auto& fact : paper.facts) out += element("dt", fact.name) + element("dd", fact.value);
  return out + "</dl>";
}

std::string parties_of(const Paper& paper) {
  if (paper.parties.empty()) return {};
  std::string out = "<div class=\"p\">";
  for (const auto& party : paper.parties) {
    out += "<section>" + element("h2", party.title);
    for (const auto& line : party.lines) out += element("p", line);
    out += "</section>";
  }
  return out + "</div>";
}

std::string sums_of(const Paper& paper) {
  if (paper.sums.empty()) return {};
  std::string out = "<tfoot>";
  for (const auto& sum : paper.sums) {
    out += sum.weight == Weight::strong ? "<tr class=\"s\">" : "<tr>";
    if (paper.columns.size() > 1)
      out += "<td class=\"n\" colspan=\"" + std::to_string(paper.columns.size() - 1) + "\">" +
             escape_html(sum.name) + "</td>" + cell("td", sum.value, Align::right);
    else
      out += cell("td", sum.name + ' ' + sum.value, Align::right);
    out += "</tr>";
  }
  return out + "</tfoot>";
}

std::string table_of(const Paper& paper) {
  if (paper.columns.empty()) return {};
  std::string out = "<table><thead><tr>";
  for (const auto& column : paper.columns) out += cell("th", column.title, column.align);
  out += "</tr></thead><tbody>";
  for (const auto& row : paper.rows) {
    out += "<tr>";
    for (std::size_t i = 0; i < paper.columns.size(); ++i)
      out += cell("td", row.at(i), paper.columns[i].align);
    out += "</tr>";
  }
  return out + "</tbody>" + sums_of(paper) + "</table>";
}

}  // namespace

std::string html_of(const Paper& paper) {
  std::string out =
      "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta "
      "name=\"viewport\" content=\"width=device-width\"><title>" +
      escape_html(paper.title) + "</title><style>" + std::string(kStyle) + "</style></head><body>" +
      element("h1", paper.title) + facts_of(paper) + parties_of(paper) + table_of(paper);
  for (const auto& note : paper.notes) out += element("p", note);
  if (!paper.footer.empty()) out += element("footer", paper.footer);
  return out + "</body></html>";
}

Sheet sheet_of(std::string_view country) {
  constexpr std::string_view kLetter = "BZ CA CL CO CR GT MX NI PA PH PR SV US VE";
  const bool is_letter = country.size() == 2 && kLetter.find(country) != kLetter.npos;
  return is_letter ? Sheet::letter : Sheet::a4;
}

}  // namespace bottega::documents
