// Styles that Vite takes out of the packages that have them.
declare module "*.css";
