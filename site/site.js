// Draws the diagrams. The library is large, so only pages with a diagram load it.
const diagrams = document.querySelectorAll("pre > code.language-mermaid");
for (const code of diagrams) {
    const diagram = document.createElement("pre");
    diagram.className = "mermaid";
    diagram.textContent = code.textContent;
    code.parentElement.replaceWith(diagram);
}
if (diagrams.length > 0) {
    const script = document.createElement("script");
    script.src = `${path_to_root}mermaid.min.js`;
    script.onload = () => {
        const isDark = ["ayu", "coal", "navy"].some((theme) => document.documentElement.classList.contains(theme));
        mermaid.initialize({ startOnLoad: false, theme: isDark ? "dark" : "neutral" });
        mermaid.run().catch((error) => console.error(`a diagram is wrong: ${error.message ?? error.str}`));
    };
    document.head.append(script);
}
