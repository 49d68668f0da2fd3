// <edit-spec>: the button below a spec that opens the editor, and why it cannot where it cannot.
//
// This much is loaded with every page. The editor and the checker that it runs come on a click, from the site itself.
(() => {
  const assets = new URL("editor/", document.currentScript.src);
  const { say } = globalThis.lockstepExplorer; // the script before this one, which knows the language of the page

  class EditSpec extends HTMLElement {
    connectedCallback() {
      if (this.querySelector("button") !== null) return;
      this.button = document.createElement("button");
      this.button.type = "button";
      this.button.className = "md-button";
      this.button.textContent = say("Edit this spec");
      this.button.addEventListener("click", () => this.open());
      this.note = document.createElement("p");
      this.note.className = "ls-small";
      this.note.setAttribute("role", "status");
      this.prepend(this.button, this.note);
    }

    disconnectedCallback() {
      this.editor?.destroy();
    }

    async open() {
      const missing = this.missing();
      if (missing !== null) {
        this.note.textContent = missing;
        return;
      }
      this.button.disabled = true;
      this.note.textContent = say("Loading the editor …");
      try {
        const [{ open }, text, texts] = await Promise.all([
          import(new URL("editor.js", assets).href),
          this.fetched(this.dataset.source),
          this.related(),
        ]);
        const host = document.createElement("div");
        host.className = "ls-edit";
        this.append(host);
        this.editor = open(host, { text, name: nameOf(this.dataset.source), texts });
        this.button.remove();
        this.note.remove();
      } catch (problem) {
        console.error(problem);
        this.button.disabled = false;
        this.note.textContent = say("The editor could not be loaded: {problem}. Try again.", { problem: problem.message });
      }
    }

    /** Why the editor cannot run here, or null. */
    missing() {
      if (location.protocol === "file:") {
        return say(
          "The editor cannot run on pages that are opened from the file system, where browsers allow no workers. Serve this folder, for example with “python3 -m http.server”, and open the page there.",
        );
      }
      if (typeof Worker === "undefined" || typeof WebAssembly === "undefined") {
        return say("The editor cannot run in this browser: it needs web workers and WebAssembly.");
      }
      return null;
    }

    async fetched(address) {
      const answer = await fetch(new URL(address, document.baseURI));
      if (!answer.ok) throw new Error(say("{address} gives {status}", { address, status: answer.status }));
      return answer.text();
    }

    /** The specs that this one refines, by the names of their files. */
    async related() {
      const addresses = (this.dataset.related ?? "").split(" ").filter((address) => address !== "");
      const texts = await Promise.all(addresses.map((address) => this.fetched(address)));
      return Object.fromEntries(addresses.map((address, i) => [nameOf(address), texts[i]]));
    }
  }

  const nameOf = (address) => decodeURIComponent(address.slice(address.lastIndexOf("/") + 1));

  if (customElements.get("edit-spec") === undefined) customElements.define("edit-spec", EditSpec);
})();
