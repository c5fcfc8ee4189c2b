"use strict";
// The last script to run: says that all parts are there, for whoever drives this page by program.
document.documentElement.dataset.ready = "true";
